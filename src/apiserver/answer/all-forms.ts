import { encodeMessage } from '../../api/codec/protobuf/write.ts'
import { encodeProtobuf, encodeProtobufList, watchFrame } from '../../api/codec/protobuf/envelope.ts'
import type { Kind } from '../../api/kind.ts'
import { apiVersionOf, type Frozen, type KubernetesObject } from '../../api/resource.ts'
import { definition, findDefinition } from '../../api/schema/builtin.ts'
import type { StructSchema } from '../../api/schema/schema.ts'
import { partialList, partialObject, type MetaVersion } from '../../api/table-format/partial-object.ts'
import { includeObjectOf, newTable } from '../../api/table-format/table.ts'
import type { CacheEvent } from '../cache/cache.ts'
import { served } from '../verbs/core.ts'
import type { ListAnswer } from './answer.ts'
import type { Formed, FormOptions, Forms } from './forms.ts'
import { bookmarkObject, eventLine, formText, listMeta, listObject } from './json-forms.ts'
import { contentTypes, type Format } from './negotiate.ts'

/** All forms that answers can take: JSON, YAML and protobuf; the object itself, a table, or its metadata alone. */
export const allForms: Forms = {
  can(format, { verb }, kind) {
    if (verb === 'watch' && format.encoding === 'yaml') return false
    if (format.as === '') return format.encoding !== 'protobuf' || !kind?.custom
    // What is not kept, a review, has no rows.
    if (format.as === 'Table') return verb !== 'deletecollection' && format.encoding !== 'protobuf' && kind?.verbs.includes('list') === true
    return verb === 'watch' || format.list === (verb === 'list' || verb === 'deletecollection')
  },
  object(kind, object, options) {
    const { format } = options
    if (format.as === 'Table') return valueForm(tableOf(kind, [object], options), format)
    if (format.as === 'PartialObjectMetadata') return valueForm(partialObject(kind, object, versionOf(format)), format)
    if (format.encoding === 'protobuf') return kind.custom ? formText(object, format) : protobuf(encodeProtobuf(kind.schema, object))
    return formText(object, format)
  },
  list(answer, options) {
    const { format } = options
    const { kind, entries } = answer
    if (format.as === 'Table') return valueForm(tableOf(kind, objectsOf(answer), options, listMeta(answer)), format)
    if (format.as === 'PartialObjectMetadata') return valueForm(partialList(kind, objectsOf(answer), { metadata: listMeta(answer), version: versionOf(format) }), format)
    if (format.encoding !== 'protobuf' || kind.custom) return formText(listObject(answer), format)
    const items = entries.map(({ object }) => encodeMessage(kind.schema, served(kind, object)))
    return protobuf(encodeProtobufList(apiVersionOf(kind.resource), kind.listKind, listMeta(answer), items))
  },
  value: (value, { format }) => valueForm(value, format),
  event: eventBytes,
  watchError(status, { format }) {
    if (format.encoding === 'protobuf') return watchFrame('ERROR', encodeProtobuf(statusSchema(), status))
    return eventLine('ERROR', Buffer.from(JSON.stringify(status)))
  },
  watchType: ({ encoding }: Format): string => (encoding === 'protobuf' ? `${contentTypes.protobuf};stream=watch` : contentTypes.json),
}

const versionOf = (format: Format): MetaVersion => (format.asVersion === 'v1beta1' ? 'v1beta1' : 'v1')
const statusSchema = (): StructSchema => definition('apimachinery.pkg.apis.meta.v1.Status')
const protobuf = (bytes: Uint8Array): Formed => ({ bytes, contentType: contentTypes.protobuf })

const objectsOf = ({ kind, entries }: ListAnswer): readonly Frozen<KubernetesObject>[] => entries.map(({ object }) => served(kind, object))

function tableOf(kind: Kind, objects: readonly Frozen<KubernetesObject>[], { format, query, nowMs, noHead }: FormOptions, metadata?: object) {
  return newTable(kind, objects, { nowMs, include: includeObjectOf(query.get('includeObject')), version: versionOf(format), noHead, ...(metadata && { metadata }) })
}

/** What is no stored object: in protobuf where there is a schema for it. */
function valueForm(value: Frozen<KubernetesObject> | object, format: Format): Formed {
  if (format.encoding !== 'protobuf') return formText(value, format)
  const schema = schemaOf(value as KubernetesObject)
  return schema ? protobuf(encodeProtobuf(schema, value as KubernetesObject)) : formText(value, { ...format, encoding: 'json' })
}

function schemaOf({ apiVersion = 'v1', kind = '' }: KubernetesObject): StructSchema | undefined {
  if (apiVersion === 'v1' && kind === 'Status') return statusSchema()
  const [group, version] = apiVersion.includes('/') ? (apiVersion.split('/') as [string, string]) : ['core', apiVersion]
  const name = group.split('.')[0]!
  return name === 'meta' ? findDefinition(`apimachinery.pkg.apis.meta.${version}.${kind}`) : findDefinition(`api.${name}.${version}.${kind}`)
}

function eventBytes(kind: Kind, event: CacheEvent, options: FormOptions): Uint8Array {
  const { format } = options
  const bookmark = !event.object || event.type === 'BOOKMARK'
  if (format.encoding === 'json' && format.as === '' && !bookmark && !kind.storedAs) return eventLine(event.type, event.object!.bytes)
  const object = bookmark ? (bookmarkObject(kind, event) as Frozen<KubernetesObject>) : served(kind, event.object!.object)
  const { bytes, contentType } = formOfEvent(kind, object, { options, bookmark })
  return contentType === contentTypes.protobuf ? watchFrame(event.type, bytes) : eventLine(event.type, bytes)
}

function formOfEvent(kind: Kind, object: Frozen<KubernetesObject>, { options, bookmark }: { options: FormOptions; bookmark: boolean }): Formed {
  const { format } = options
  const json: Format = format.encoding === 'yaml' ? { ...format, encoding: 'json' } : format
  if (bookmark && format.as === 'Table') {
    const { metadata } = object
    return valueForm({ kind: 'Table', apiVersion: `meta.k8s.io/${versionOf(format)}`, metadata: { resourceVersion: metadata?.resourceVersion }, columnDefinitions: [], rows: [{ cells: null, object: partialObject(kind, object, versionOf(format)) }] }, json)
  }
  return allForms.object(kind, object, { ...options, format: json })
}
