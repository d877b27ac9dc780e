/** Writes src/runtime/cri/generated/cri.ts from the facts: an interface per message, and the tables that its codec and client read. */
import { readFacts } from './facts.ts'
import { writeGenerated } from './write.ts'

interface Field {
  type: string
  id: number
  rule?: 'repeated'
  keyType?: string
}

interface Entry {
  fields?: Record<string, Field>
  values?: Record<string, number>
  methods?: Record<string, { requestType: string; responseType: string; responseStream?: boolean }>
  nested?: Record<string, Entry>
}

const packageName = 'runtime.v1'
const entries: Record<string, Entry> = readFacts('cri.protobuf.json').nested.runtime.nested.v1.nested

const scalars: Record<string, string> = {
  string: 'string',
  bool: 'boolean',
  bytes: 'Uint8Array',
  double: 'number',
  int32: 'number',
  uint32: 'number',
  int64: 'number',
  uint64: 'number',
}

/** Nested types come to the top with their own name: CRI has no two of one name. */
function flatten(from: Record<string, Entry>, into: Map<string, Entry>): Map<string, Entry> {
  for (const [name, entry] of Object.entries(from)) {
    if (into.has(name)) throw new Error(`two types are called ${name}`)
    into.set(name, entry)
    if (entry.nested) flatten(entry.nested, into)
  }
  return into
}

const all = flatten(entries, new Map())
const camel = (name: string) => name.replace(/_([a-zA-Z])/g, (_, letter: string) => letter.toUpperCase())
const last = (type: string) => type.split('.').at(-1)!

function property(name: string, field: Field): string {
  const type = scalars[field.type] ?? last(field.type)
  if (field.keyType) return `  ${camel(name)}: Record<string, ${type}>`
  if (field.rule === 'repeated') return `  ${camel(name)}: ${type}[]`
  return `  ${camel(name)}${all.get(type)?.fields ? '?' : ''}: ${type}`
}

const types: string[] = []
const messages: string[] = []
const enums: string[] = []
const services: string[] = []

for (const [name, entry] of all) {
  if (entry.values) {
    types.push(
      `export type ${name} = ${Object.keys(entry.values)
        .map((v) => `'${v}'`)
        .join(' | ')}`,
    )
    enums.push(
      `  ${name}: { ${Object.entries(entry.values)
        .map(([v, n]) => `${v}: ${n}`)
        .join(', ')} },`,
    )
  } else if (entry.fields) {
    const fields = Object.entries(entry.fields)
    types.push(
      fields.length
        ? `export interface ${name} {\n${fields.map(([n, f]) => property(n, f)).join('\n')}\n}`
        : `export type ${name} = Record<string, never>`,
    )
    const rows = fields.map(
      ([n, f]) => `[${f.id}, '${camel(n)}', '${last(f.type)}'${f.keyType ? `, 'map'` : f.rule ? `, 'list'` : ''}]`,
    )
    messages.push(`  ${name}: [${rows.join(', ')}],`)
  } else if (entry.methods) {
    const methods = Object.entries(entry.methods)
    services.push(
      ...methods.map(
        ([method, m]) =>
          `  ${method}: { path: '/${packageName}.${name}/${method}', request: '${m.requestType}', response: '${m.responseType}' },`,
      ),
    )
    types.push(
      `export interface ${name} {\n${methods.map(([method, m]) => `  ${method}: { request: ${m.requestType}; response: ${m.responseType} }`).join('\n')}\n}`,
    )
  }
}

writeGenerated(
  'src/runtime/cri/generated/cri.ts',
  [
    ...types,
    '/** Every call of the runtime and of the image service, by name. */\nexport interface CriMethods extends RuntimeService, ImageService {}',
    '/** Of each message its fields: number, name, type, whether a list or a map from strings. */\nexport const messages = {',
    ...messages,
    '} as const',
    '/** Of each enumeration its numbers. */\nexport const enums = {',
    ...enums,
    '} as const',
    '/** Of each call its path and messages. */\nexport const methods = {',
    ...services,
    '} as const',
  ].join('\n'),
)
