import { encodeProtobuf, sealMessage, watchFrame } from '../../api/codec/protobuf/envelope.ts'
import type { Kind } from '../../api/kind.ts'
import { apiVersionOf, type Frozen, type KubernetesObject } from '../../api/resource.ts'
import { definition, findDefinition } from '../../api/schema/builtin.ts'
import type { StructSchema } from '../../api/schema/schema.ts'
import { partialObject } from '../../api/table-format/partial-object.ts'
import { newTable } from '../../api/table-format/table.ts'
import type { CacheEvent } from '../cache/cache.ts'
import { served } from '../verbs/core.ts'
import type { Formed, FormOptions, Forms } from './forms.ts'
import { bookmarkObject, eventLine, formText, listObject } from './json-forms.ts'
import { partChunks, partOf, tableOptions, versionOf } from './made-lists.ts'
import { contentTypes, type Format } from './negotiate.ts'
import { protobufListChunks, storedMessage } from './protobuf-list.ts'

/** All forms that answers can take: JSON, YAML and protobuf; the object itself, a table, or its metadata alone. */
export const allForms: Forms = {
  can(format, { verb }, kind) {
    if (verb === 'watch' && format.encoding === 'yaml') return false
    if (format.as === '') return format.encoding !== 'protobuf' || !kind?.custom
    // What is not kept, a review, has no rows.
    if (format.as === 'Table')
      return verb !== 'deletecollection' && format.encoding !== 'protobuf' && kind?.verbs.includes('list') === true
    return verb === 'watch' || format.list === (verb === 'list' || verb === 'deletecollection')
  },
  object(kind, object, options) {
    const { format } = options
    if (format.as === 'Table') return valueForm(newTable(kind, [object], tableOptions(options)), format)
    if (format.as === 'PartialObjectMetadata') return valueForm(partialObject(kind, object, versionOf(format)), format)
    if (format.encoding === 'protobuf')
      return kind.custom ? formText(object, format) : protobuf(encodeProtobuf(kind.schema, object))
    return formText(object, format)
  },
  list(answer, options, clock) {
    const { format } = options
    const { kind } = answer
    if (format.as !== '')
      return format.encoding === 'json' && !format.pretty
        ? { chunks: partChunks(answer, options), contentType: contentTypes.json, made: true }
        : valueForm(partOf(answer, options), format)
    if (format.encoding !== 'protobuf' || kind.custom) return formText(listObject(answer), format)
    return protobufListChunks(answer, clock).then((chunks) => ({
      chunks,
      contentType: contentTypes.protobuf,
      made: false,
    }))
  },
  value: (value, { format }) => valueForm(value, format),
  event: eventBytes,
  watchError(status, { format }) {
    if (format.encoding === 'protobuf') return watchFrame('ERROR', encodeProtobuf(statusSchema(), status))
    return eventLine('ERROR', Buffer.from(JSON.stringify(status)))
  },
  watchType: ({ encoding }: Format): string =>
    encoding === 'protobuf' ? `${contentTypes.protobuf};stream=watch` : contentTypes.json,
}

const statusSchema = (): StructSchema => definition('apimachinery.pkg.apis.meta.v1.Status')
const protobuf = (bytes: Uint8Array): Formed => ({ bytes, contentType: contentTypes.protobuf })

/** What is no stored object: in protobuf where there is a schema for it. */
function valueForm(value: Frozen<KubernetesObject> | object, format: Format): Formed {
  if (format.encoding !== 'protobuf') return formText(value, format)
  const schema = schemaOf(value as KubernetesObject)
  return schema
    ? protobuf(encodeProtobuf(schema, value as KubernetesObject))
    : formText(value, { ...format, encoding: 'json' })
}

function schemaOf({ apiVersion = 'v1', kind = '' }: KubernetesObject): StructSchema | undefined {
  if (apiVersion === 'v1' && kind === 'Status') return statusSchema()
  const [group, version] = apiVersion.includes('/') ? (apiVersion.split('/') as [string, string]) : ['core', apiVersion]
  const name = group.split('.')[0]!
  return name === 'meta'
    ? findDefinition(`apimachinery.pkg.apis.meta.${version}.${kind}`)
    : findDefinition(`api.${name}.${version}.${kind}`)
}

function eventBytes(kind: Kind, event: CacheEvent, options: FormOptions): Uint8Array {
  const { format } = options
  const bookmark = !event.object || event.type === 'BOOKMARK'
  if (format.encoding === 'json' && format.as === '' && !bookmark && !kind.storedAs)
    return eventLine(event.type, event.object!.bytes)
  if (format.encoding === 'protobuf' && format.as === '' && !bookmark && !kind.custom) {
    return watchFrame(
      event.type,
      sealMessage(apiVersionOf(kind.resource), kind.resource.kind, storedMessage(kind, event.object!)),
    )
  }
  const object = bookmark
    ? (bookmarkObject(kind, event) as Frozen<KubernetesObject>)
    : served(kind, event.object!.object)
  const { bytes, contentType } = formOfEvent(kind, object, { options, bookmark })
  return contentType === contentTypes.protobuf ? watchFrame(event.type, bytes) : eventLine(event.type, bytes)
}

function formOfEvent(
  kind: Kind,
  object: Frozen<KubernetesObject>,
  { options, bookmark }: { options: FormOptions; bookmark: boolean },
): Formed {
  const { format } = options
  const json: Format = format.encoding === 'yaml' ? { ...format, encoding: 'json' } : format
  if (bookmark && format.as === 'Table') {
    const { metadata } = object
    return valueForm(
      {
        kind: 'Table',
        apiVersion: `meta.k8s.io/${versionOf(format)}`,
        metadata: { resourceVersion: metadata?.resourceVersion },
        columnDefinitions: [],
        rows: [{ cells: null, object: partialObject(kind, object, versionOf(format)) }],
      },
      json,
    )
  }
  return allForms.object(kind, object, { ...options, format: json })
}
