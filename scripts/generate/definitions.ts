/**
 * Writes src/api/generated/definitions.json: every definition that a served kind reaches, as a line a field, in the order of the wire.
 * `src/api/schema/builtin.ts` reads this form and documents it.
 */
import { definitions, discovery, readFacts, type FieldFact, type TypeFact } from './facts.ts'
import { writeGeneratedJson } from './write.ts'

interface Tag {
  omit?: true
  omitzero?: true
  pointer?: true
  pb?: string
  required?: true
  default?: unknown
  go: string
  type?: TypeFact
}

const tags: Record<string, Record<string, Tag>> = readFacts('json-tags.json')

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1.'

/** Definitions whose JSON is not an object with fields: one letter each. */
const special: Record<string, string> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': 'q',
  [`${meta}FieldsV1`]: 'f',
  [`${meta}Time`]: 't',
  [`${meta}MicroTime`]: 'u',
  'io.k8s.apimachinery.pkg.runtime.RawExtension': 'r',
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': 'o',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON': 'j',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray': 'A',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool': 'B',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray': 'C',
}

const scalars: Record<string, string> = {
  string: 's',
  'string:byte': 'y',
  boolean: 'b',
  'integer:int32': 'i',
  'integer:int64': 'l',
  'number:double': 'd',
}

/** Go types that follow from the shape, so that they need not be written down. */
const plainGo: Record<string, string> = { s: 'string', y: '[]uint8', b: 'bool', i: 'int32', l: 'int64', d: 'float64' }

/** What no served kind reaches, but requests and answers have. */
const more = [
  ...[
    'Status',
    'DeleteOptions',
    'CreateOptions',
    'UpdateOptions',
    'PatchOptions',
    'GetOptions',
    'ListOptions',
    'WatchEvent',
    'PartialObjectMetadata',
    'PartialObjectMetadataList',
    'List',
    'APIVersions',
    'APIGroup',
    'APIGroupList',
    'APIResourceList',
  ].map((name) => meta + name),
  ...[
    'RangeAllocation',
    'PodExecOptions',
    'PodAttachOptions',
    'PodPortForwardOptions',
    'PodLogOptions',
    'PodProxyOptions',
    'ServiceProxyOptions',
    'NodeProxyOptions',
    'SerializedReference',
    'PodStatusResult',
  ].map((name) => `io.k8s.api.core.v1.${name}`),
  'io.k8s.api.autoscaling.v1.Scale',
  'io.k8s.api.admission.v1.AdmissionReview',
  'io.k8s.apimachinery.pkg.version.Info',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.ConversionReview',
]

const byKind = new Map<string, string>()
for (const [id, definition] of Object.entries(definitions))
  if (definition.gvk?.length === 1)
    byKind.set(`${definition.gvk[0]!.group}/${definition.gvk[0]!.version}/${definition.gvk[0]!.kind}`, id)

/** The definition of a kind. */
export const definitionOfKind = (group: string, version: string, kind: string): string | undefined =>
  byKind.get(`${group}/${version}/${kind}`)

const out: Record<string, string[]> = {}
const queue = [...more]
for (const group of discovery) {
  for (const { version, resources } of group.versions) {
    for (const { responseKind, subresources } of resources) {
      for (const { kind, group: other, version: otherVersion } of [
        responseKind,
        ...(subresources ?? []).map((s) => s.responseKind),
      ]) {
        const at = otherVersion ? ([other, otherVersion] as const) : ([group.name, version] as const)
        for (const name of [kind, `${kind}List`]) {
          const id = definitionOfKind(...at, name)
          if (id) queue.push(id)
        }
      }
    }
  }
}
for (let id = queue.pop(); id !== undefined; id = queue.pop()) {
  if (out[id] || special[id]) continue
  const fields = tags[id]
  if (!fields) throw new Error(`no tags for ${id}: run scripts/generate/go-tags.ts`)
  const definition = definitions[id]
  const lines = (out[id] = definition?.['x-kubernetes-map-type'] === 'atomic' ? ['!atomic'] : [])
  if (definition?.['x-kubernetes-unions']) lines.push(`!unions=${JSON.stringify(definition['x-kubernetes-unions'])}`)
  for (const [name, tag] of Object.entries(fields))
    lines.push(lineOf(name, tag, definition?.properties?.[name] ?? { type: tag.type! }))
}

/** The one-letter form of a type; ids are shortened by 'io.k8s.'. Puts the definitions it names on the queue. */
function typeOf(type: TypeFact): string {
  if (Array.isArray(type)) return `[${typeOf(type[0]!)}`
  if (typeof type === 'object') return `{${typeOf(type.map)}`
  const letter = scalars[type] ?? special[type]
  if (letter) return letter
  if (!type.startsWith('io.k8s.')) throw new Error(`unknown type ${type}`)
  queue.push(type)
  return `@${type.slice('io.k8s.'.length)}`
}

function lineOf(name: string, tag: Tag, fact: FieldFact): string {
  const type = typeOf(fact.type)
  const parts = [name, type, omission(type, tag), tag.pb ?? '']
  if (tag.required) parts.push('required')
  const go = goName(type)
  if (tag.go !== go) parts.push(`go=${tag.go}`)
  if (tag.default !== undefined) parts.push(`default=${JSON.stringify(tag.default)}`)
  if (fact['list-type']) parts.push(`list=${fact['list-type']}`)
  if (fact['list-map-keys']) parts.push(`keys=${fact['list-map-keys'].join(',')}`)
  if (fact['map-type']) parts.push(`map=${fact['map-type']}`)
  if (fact['patch-merge-key']) parts.push(`merge=${fact['patch-merge-key']}`)
  if (fact['patch-strategy']) parts.push(`patch=${fact['patch-strategy']}`)
  return parts.join('|')
}

/** E(mpty), N(il) or V (never), with a star for pointers. Go never omits a struct that is not a pointer, unless told by omitzero. */
function omission(type: string, tag: Tag): string {
  if (tag.pointer) return tag.omit ? 'N*' : 'V*'
  const isStruct = /^[@qtuorjABC]/.test(type)
  if (isStruct) return tag.omitzero ? 'E' : 'V'
  return tag.omit || tag.omitzero ? 'E' : 'V'
}

/** The Go type that a shape has by default. */
function goName(type: string): string {
  if (type.startsWith('[')) return `[]${goName(type.slice(1))}`
  if (type.startsWith('{')) return `map[string]${goName(type.slice(1))}`
  if (type.startsWith('@')) return type.split('.').slice(-2).join('.')
  const named: Record<string, string> = {
    q: 'resource.Quantity',
    f: 'v1.FieldsV1',
    t: 'v1.Time',
    u: 'v1.MicroTime',
    r: 'runtime.RawExtension',
    o: 'intstr.IntOrString',
    j: 'v1.JSON',
    A: 'v1.JSONSchemaPropsOrArray',
    B: 'v1.JSONSchemaPropsOrBool',
    C: 'v1.JSONSchemaPropsOrStringArray',
  }
  return plainGo[type] ?? named[type]!
}

writeGeneratedJson(
  'src/api/generated/definitions.json',
  Object.fromEntries(
    Object.entries(out)
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([id, lines]) => [id.slice('io.k8s.'.length), lines.join('\n')]),
  ),
)
