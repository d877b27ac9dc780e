import { badRequest, notFound } from '../../api/errors/api-error.ts'
import type { Frozen, KubernetesObject } from '../../api/resource.ts'
import { parseFieldSelector } from '../../api/selector/field.ts'
import { parseLabelSelector } from '../../api/selector/parse-label.ts'
import type { CachedObject } from '../cache/cache.ts'
import { Document } from '../cache/document.ts'
import type { ResourceRequest } from '../request/api-request.ts'
import type { Answer } from './answer.ts'

/** The answer to a get or a list of objects that lie nowhere and were made for the request. `called` is the kind's name when one of them is not found. */
export function madeAnswer(
  { kind, info, query }: ResourceRequest,
  objects: readonly KubernetesObject[],
  called: string,
): Answer {
  const { namespace, name } = info
  const inPlace = namespace === '' ? objects : objects.filter(({ metadata }) => metadata?.namespace === namespace)
  if (info.verb === 'get') {
    const found = inPlace.find(({ metadata }) => metadata?.name === name)
    if (!found)
      throw notFound({ group: kind.resource.group, plural: called }, namespace ? `${namespace}/${name}` : name)
    return { type: 'object', code: 200, kind, document: Document.ofObject(found as Frozen<KubernetesObject>) }
  }
  const labels = parsed(() => parseLabelSelector(query.get('labelSelector') ?? ''))
  const fields = parsed(() => parseFieldSelector(query.get('fieldSelector') ?? ''))
  const entries = inPlace
    .map(entryOf)
    .filter((entry) => labels.matches(entry.labels) && fields.matches((field) => entry.field(field) ?? ''))
  return { type: 'list', kind, entries, resourceVersion: '', continue: '', remaining: undefined }
}

/** An object that lies in no cache, as if it did. */
function entryOf(object: KubernetesObject): CachedObject {
  const { name = '', namespace = '', labels = {} } = object.metadata ?? {}
  const document = Document.ofObject(object as Frozen<KubernetesObject>)
  const fields: Readonly<Record<string, string>> = { 'metadata.name': name, 'metadata.namespace': namespace }
  return {
    key: namespace ? `${namespace}/${name}` : name,
    namespace,
    name,
    revision: 0,
    bytes: document.bytes,
    object: document.object,
    document,
    labels,
    field: (field) => fields[field],
  }
}

function parsed<T>(parse: () => T): T {
  try {
    return parse()
  } catch (error) {
    throw badRequest(error instanceof Error ? error.message : String(error))
  }
}
