/** Types of expressions. `dyn` is known only when it runs. */
export type CelType =
  | {
      readonly kind:
        | 'bool'
        | 'int'
        | 'uint'
        | 'double'
        | 'string'
        | 'bytes'
        | 'null'
        | 'dyn'
        | 'timestamp'
        | 'duration'
        | 'type'
    }
  | { readonly kind: 'opaque'; readonly name: string }
  | { readonly kind: 'param'; readonly name: string }
  | {
      readonly kind: 'list'
      readonly item: CelType
      readonly listType?: string | undefined
      readonly keys?: readonly string[] | undefined
    }
  | { readonly kind: 'map'; readonly key: CelType; readonly value: CelType }
  | { readonly kind: 'optional'; readonly value: CelType }
  | ObjectType

/** A type with named fields. */
export interface ObjectType {
  readonly kind: 'object'
  readonly name: string
  /** By the name that expressions use. */
  field(name: string): ObjectField | undefined
}

/** A field of an object: its type, and its name in JSON. */
export interface ObjectField {
  readonly type: CelType
  readonly json: string
}

const simple = <
  Kind extends CelType['kind'] &
    ('bool' | 'int' | 'uint' | 'double' | 'string' | 'bytes' | 'null' | 'dyn' | 'timestamp' | 'duration' | 'type'),
>(
  kind: Kind,
): CelType => ({ kind })

/** The types of CEL; `dyn` is what is known only at run time. */
export const dyn = simple('dyn')
export const bool = simple('bool')
export const int = simple('int')
export const uint = simple('uint')
export const double = simple('double')
export const string = simple('string')
export const bytes = simple('bytes')
export const nullType = simple('null')
export const timestamp = simple('timestamp')
export const duration = simple('duration')
export const typeType = simple('type')
export const listOf = (item: CelType): CelType => ({ kind: 'list', item })
export const mapOf = (key: CelType, value: CelType): CelType => ({ kind: 'map', key, value })
export const optionalOf = (value: CelType): CelType => ({ kind: 'optional', value })
export const opaque = (name: string): CelType => ({ kind: 'opaque', name })

/** An object type of fixed fields. */
export const objectOf = (name: string, fields: Readonly<Record<string, CelType>>): ObjectType => ({
  kind: 'object',
  name,
  field: (field) => (Object.hasOwn(fields, field) ? { type: fields[field]!, json: field } : undefined),
})

/** A type in words, as problems name it. */
export function typeText(type: CelType): string {
  switch (type.kind) {
    case 'list':
      return `list(${typeText(type.item)})`
    case 'map':
      return `map(${typeText(type.key)}, ${typeText(type.value)})`
    case 'optional':
      return `optional_type(${typeText(type.value)})`
    case 'object':
    case 'opaque':
    case 'param':
      return type.name
    case 'timestamp':
      return 'google.protobuf.Timestamp'
    case 'duration':
      return 'google.protobuf.Duration'
    default:
      return type.kind
  }
}

/** What type parameters stand for in one call. */
export type Bindings = Map<string, CelType>

/** Whether a value of type `actual` can stand where `wanted` is. Binds type parameters. */
export function accepts(wanted: CelType, actual: CelType, bound: Bindings): boolean {
  if (wanted.kind === 'param') {
    const before = bound.get(wanted.name)
    if (!before || before.kind === 'dyn') {
      bound.set(wanted.name, actual)
      return true
    }
    if (accepts(before, actual, bound)) return true
    return accepts(actual, before, bound)
  }
  if (wanted.kind === 'dyn' || actual.kind === 'dyn') return true
  if (actual.kind === 'null')
    return (
      wanted.kind === 'null' ||
      wanted.kind === 'object' ||
      wanted.kind === 'opaque' ||
      wanted.kind === 'timestamp' ||
      wanted.kind === 'duration' ||
      wanted.kind === 'optional'
    )
  if (wanted.kind === 'null')
    return (
      actual.kind === 'object' || actual.kind === 'opaque' || actual.kind === 'timestamp' || actual.kind === 'duration'
    )
  if (wanted.kind !== actual.kind) return false
  if (wanted.kind === 'list' && actual.kind === 'list') return accepts(wanted.item, actual.item, bound)
  if (wanted.kind === 'map' && actual.kind === 'map')
    return accepts(wanted.key, actual.key, bound) && accepts(wanted.value, actual.value, bound)
  if (wanted.kind === 'optional' && actual.kind === 'optional') return accepts(wanted.value, actual.value, bound)
  if (wanted.kind === 'opaque' && actual.kind === 'opaque') return wanted.name === actual.name
  if (wanted.kind === 'object' && actual.kind === 'object') return wanted === actual || wanted.name === actual.name
  return true
}

/** A type with its parameters filled in. */
export function bind(type: CelType, bound: Bindings): CelType {
  switch (type.kind) {
    case 'param':
      return bound.get(type.name) ?? dyn
    case 'list':
      return { ...type, item: bind(type.item, bound) }
    case 'map':
      return mapOf(bind(type.key, bound), bind(type.value, bound))
    case 'optional':
      return optionalOf(bind(type.value, bound))
    default:
      return type
  }
}

/** One type for values of both: theirs when they have the same, else any. */
export function joined(a: CelType | undefined, b: CelType): CelType {
  if (!a) return b
  if (a.kind === 'dyn' || b.kind === 'dyn') return dyn
  if (accepts(a, b, new Map())) return a.kind === 'null' ? b : a
  return dyn
}
