import lines from '../generated/definitions.json' with { type: 'json' }
import type { Field, Schema, StructSchema } from './schema.ts'

/*
 * The generated form of a definition is a line a field, in the order of the wire:
 *
 *   name|type|omit|protobuf|options…       protocol|s|E|4|go=v1.Protocol|default="TCP"
 *
 * type: one of the letters below, '[' and the type of items, '{' and the type of values, '@' and a definition's id without 'io.k8s.'.
 * omit: E(mpty), N(il), V (never), with '*' for pointers. protobuf: '2.1' is field 1 of the embedded message 2. Lines with '!' concern the whole: '!atomic', '!unions=JSON'.
 */

const letters: Readonly<Record<string, Schema>> = {
  s: { type: 'string' },
  y: { type: 'bytes' },
  b: { type: 'boolean' },
  i: { type: 'int32' },
  l: { type: 'int64' },
  d: { type: 'double' },
  q: { type: 'quantity' },
  o: { type: 'intOrString' },
  t: { type: 'time' },
  u: { type: 'microTime' },
  f: { type: 'any', form: 'fieldsV1' },
  r: { type: 'any', form: 'rawExtension' },
  j: { type: 'any', form: 'json' },
  A: { type: 'any', form: 'schemaOrArray' },
  B: { type: 'any', form: 'schemaOrBool' },
  C: { type: 'any', form: 'schemaOrStrings' },
}

const omits = { E: 'empty', N: 'nil', V: 'never' } as const

const texts: Readonly<Record<string, string>> = lines
const known = new Map<string, StructSchema>()

/** Reads its fields when they are first asked for: most processes need few of the definitions, and some contain themselves. */
class BuiltinStruct implements StructSchema {
  readonly type = 'struct'
  readonly name: string
  readonly atomic: boolean
  readonly keepsEmptyLists: boolean
  readonly tellsEmptyMaps: boolean
  readonly #id: string
  #fields: ReadonlyMap<string, Field> | undefined

  constructor(id: string, atomic: boolean) {
    this.#id = id
    this.name = `io.k8s.${id}`
    this.atomic = atomic
    this.keepsEmptyLists = !id.startsWith('api.')
    this.tellsEmptyMaps = id.endsWith('.JSONSchemaProps')
  }

  get fields(): ReadonlyMap<string, Field> {
    return (this.#fields ??= parseFields(texts[this.#id]!))
  }
}

/** The schema of a definition of the facts: 'io.k8s.api.core.v1.Pod'. Undefined when there is none. */
export function findDefinition(name: string): StructSchema | undefined {
  const id = name.startsWith('io.k8s.') ? name.slice('io.k8s.'.length) : name
  const text = texts[id]
  if (text === undefined) return undefined
  let schema = known.get(id)
  if (!schema) known.set(id, (schema = new BuiltinStruct(id, text.startsWith('!atomic'))))
  return schema
}

/** The same for a definition that must be there. */
export function definition(name: string): StructSchema {
  const schema = findDefinition(name)
  if (!schema) throw new Error(`no definition ${name}`)
  return schema
}

/** The unions of a definition (`x-kubernetes-unions`), for OpenAPI only. */
export function unionsOf(name: string): unknown {
  const line = texts[name.slice('io.k8s.'.length)]?.split('\n').find((text) => text.startsWith('!unions='))
  return line && JSON.parse(line.slice('!unions='.length))
}

/** The ids of all definitions. */
export const definitionNames = (): string[] => Object.keys(texts).map((id) => `io.k8s.${id}`)

function parseFields(text: string): ReadonlyMap<string, Field> {
  const fields = new Map<string, Field>()
  for (const line of text.split('\n')) {
    if (line === '' || line.startsWith('!')) continue
    const field = parseField(line)
    fields.set(field.name, field)
  }
  return fields
}

function parseField(line: string): Field {
  const [name, type, omit, protobuf, ...rest] = line.split('|') as [string, string, string, string, ...string[]]
  const options = new Map(
    rest.map((option) =>
      option.includes('=')
        ? ([option.slice(0, option.indexOf('=')), option.slice(option.indexOf('=') + 1)] as const)
        : ([option, ''] as const),
    ),
  )
  const schema = schemaOf(type, options)
  const numbers = protobuf === '' ? [] : protobuf.split('.').map(Number)
  const standard = options.get('default')
  return {
    name,
    schema,
    required: options.has('required'),
    omit: omits[omit[0] as keyof typeof omits],
    pointer: omit.endsWith('*'),
    default: standard === undefined ? undefined : JSON.parse(standard),
    protobuf: numbers.at(-1),
    protobufIn: numbers.length > 1 ? numbers.slice(0, -1) : undefined,
    goType: options.get('go'),
    patchStrategy: schema.type === 'struct' ? strategies<'replace' | 'merge' | 'retainKeys'>(options) : undefined,
  }
}

const strategies = <S extends string>(options: ReadonlyMap<string, string>) =>
  options.get('patch')?.split(',') as S[] | undefined

function schemaOf(type: string, options: ReadonlyMap<string, string>): Schema {
  const rest = type.slice(1)
  if (type.startsWith('[')) {
    return {
      type: 'list',
      items: schemaOf(rest, new Map()),
      listType: options.get('list') as 'map' | 'set' | 'atomic' | undefined,
      listMapKeys: options.get('keys')?.split(','),
      patchMergeKey: options.get('merge'),
      patchStrategy: strategies<'merge' | 'retainKeys'>(options),
    }
  }
  if (type.startsWith('{')) {
    const values = schemaOf(rest, new Map())
    const wrapped = values.type === 'list' && options.get('go')?.includes('ExtraValue')
    return {
      type: 'map',
      values: wrapped ? { ...values, wrapped: true } : values,
      atomic: options.get('map') === 'atomic',
      granular: options.get('map') === 'granular' || undefined,
    }
  }
  if (type.startsWith('@')) {
    const struct = definition(rest)
    // A field may see a definition otherwise than the definition itself: PersistentVolume's claimRef is merged by field.
    const atomic = options.has('map') ? options.get('map') === 'atomic' : struct.atomic
    return atomic === struct.atomic ? struct : new BuiltinStruct(rest, atomic === true)
  }
  const letter = letters[type]
  if (!letter) throw new Error(`unknown type ${type} in a generated definition`)
  return letter
}
