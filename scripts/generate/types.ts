/** Writes src/api/generated/{types/*,resources}.ts from the facts: an interface per definition, a value per served resource. */
import { definitions, discovery, type Definition, type TypeFact } from './facts.ts'
import { writeGenerated } from './write.ts'

/** Definitions whose JSON is not what their fact says, as TypeScript. */
const special: Record<string, string> = {
  'io.k8s.apimachinery.pkg.api.resource.Quantity': 'string',
  'io.k8s.apimachinery.pkg.apis.meta.v1.FieldsV1': '{ [key: string]: unknown }',
  'io.k8s.apimachinery.pkg.apis.meta.v1.Time': 'string',
  'io.k8s.apimachinery.pkg.apis.meta.v1.MicroTime': 'string',
  'io.k8s.apimachinery.pkg.runtime.RawExtension': '{ [key: string]: unknown }',
  'io.k8s.apimachinery.pkg.util.intstr.IntOrString': 'number | string',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSON': 'unknown',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrArray':
    'JSONSchemaProps | JSONSchemaProps[]',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrBool': 'JSONSchemaProps | boolean',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.JSONSchemaPropsOrStringArray': 'JSONSchemaProps | string[]',
  'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceSubresourceStatus':
    '{ [key: string]: unknown }',
}

const scalars: Record<string, string> = {
  string: 'string',
  'string:byte': 'string',
  boolean: 'boolean',
  'integer:int32': 'number',
  'integer:int64': 'number',
  'number:double': 'number',
}

/** io.k8s.api.apps.v1.Deployment → { file: 'apps-v1', name: 'Deployment' } */
function place(id: string): { file: string; name: string } {
  const parts = id.split('.')
  const name = parts.at(-1)!
  if (id.startsWith('io.k8s.apimachinery.')) return { file: 'meta-v1', name }
  return { file: `${parts.at(-3)}-${parts.at(-2)}`, name }
}

const files = new Map<string, { imports: Map<string, Set<string>>; body: string[] }>()

function fileOf(id: string) {
  const { file } = place(id)
  let content = files.get(file)
  if (!content) files.set(file, (content = { imports: new Map(), body: [] }))
  return content
}

function typeOf(type: TypeFact, user: string): string {
  if (Array.isArray(type)) {
    const item = typeOf(type[0]!, user)
    return item.includes('|') ? `(${item})[]` : `${item}[]`
  }
  if (typeof type === 'object') return `{ [key: string]: ${typeOf(type.map, user)} }`
  if (scalars[type]) return scalars[type]
  const [there, here] = [place(type), place(user)]
  if (there.file !== here.file) {
    const { imports } = fileOf(user)
    if (!imports.has(there.file)) imports.set(there.file, new Set())
    imports.get(there.file)!.add(there.name)
  }
  return there.name
}

function declare(id: string, definition: Definition): void {
  const { body } = fileOf(id)
  const { name } = place(id)
  if (special[id]) return void body.push(`export type ${name} = ${special[id]}`)
  const gvk = definition.gvk?.length === 1 ? definition.gvk[0] : undefined
  const fields = Object.entries(definition.properties ?? {}).map(([field, fact]) => {
    const key = /^[a-z_]\w*$/i.test(field) ? field : JSON.stringify(field)
    if (gvk && field === 'kind') return `  kind?: '${gvk.kind}'`
    if (gvk && field === 'apiVersion') return `  apiVersion?: '${gvk.group ? `${gvk.group}/` : ''}${gvk.version}'`
    const required = definition.required?.includes(field) || (gvk && field === 'metadata')
    return `  ${key}${required ? '' : '?'}: ${typeOf(fact.type, id)}`
  })
  body.push(
    fields.length
      ? `export interface ${name} {\n${fields.join('\n')}\n}`
      : `export type ${name} = { [key: string]: never }`,
  )
}

for (const [id, definition] of Object.entries(definitions)) declare(id, definition)
for (const [file, { imports, body }] of files) {
  const head = [...imports]
    .sort()
    .map(([from, names]) => `import type { ${[...names].sort().join(', ')} } from './${from}.ts'`)
  writeGenerated(
    `src/api/generated/types/${file}.ts`,
    [...head, ...(head.length ? [''] : []), body.join('\n\n')].join('\n'),
  )
}

// ---------------------------------------------------------------- resources

/** ('NetworkPolicy', 'networkpolicies') → 'networkPolicies' */
function valueName(kind: string, plural: string): string {
  let same = 0
  while (same < kind.length && kind[same]!.toLowerCase() === plural[same]) same++
  const name = kind.slice(0, same) + plural.slice(same)
  return name.replace(/^([A-Z]+)(?=[A-Z][a-z]|$)|^[A-Z]/, (head) => head.toLowerCase())
}

const definitionOf = new Map(
  Object.entries(definitions).flatMap(([id, d]) =>
    d.gvk?.length === 1 ? [[`${d.gvk[0]!.group}/${d.gvk[0]!.version}/${d.gvk[0]!.kind}`, id] as const] : [],
  ),
)
const imports = new Map<string, Map<string, string>>()
const values: string[] = []
const used = new Set<string>()
// The preferred version of a group takes the plain name.
for (const group of discovery) {
  for (const { version, resources } of group.versions) {
    for (const fact of resources) {
      const id = definitionOf.get(`${group.name}/${version}/${fact.responseKind.kind}`)
      if (!id) continue
      let value = valueName(fact.responseKind.kind, fact.resource)
      if (used.has(value)) value += group.name === 'events.k8s.io' ? 'V1' : version.toUpperCase()
      used.add(value)
      const { file, name } = place(id)
      const alias =
        file === 'core-v1' || ![...imports].some(([f, n]) => f !== file && [...n.values()].includes(name))
          ? name
          : `${name}${group.name === 'events.k8s.io' ? 'V1' : version.toUpperCase()}`
      if (!imports.has(file)) imports.set(file, new Map())
      imports.get(file)!.set(name, alias)
      const scope = fact.scope === 'Namespaced'
      values.push(
        `export const ${value}: Resource<${alias}> = { group: '${group.name}', version: '${version}', kind: '${fact.responseKind.kind}', plural: '${fact.resource}', namespaced: ${scope} }`,
      )
    }
  }
}
const head = [...imports].map(
  ([file, names]) =>
    `import type { ${[...names].map(([n, a]) => (n === a ? n : `${n} as ${a}`)).join(', ')} } from './types/${file}.ts'`,
)
writeGenerated(
  'src/api/generated/resources.ts',
  [`import type { Resource } from '../resource.ts'`, ...head, '', ...values].join('\n'),
)
