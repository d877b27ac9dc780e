import {
  accepts,
  bind,
  bool,
  bytes,
  double,
  duration,
  dyn,
  int,
  listOf,
  mapOf,
  nullType,
  opaque,
  optionalOf,
  string,
  timestamp,
  typeText,
  typeType,
  uint,
  type Bindings,
  type CelType,
} from './types.ts'
import {
  CelError,
  CelList,
  CelMap,
  Duration,
  Opaque,
  Optional,
  Timestamp,
  TypeName,
  Uint,
  type Value,
} from './values.ts'

/** What one function does with arguments of certain types. */
export interface Overload {
  readonly name: string
  /** Called on its first argument. */
  readonly member: boolean
  readonly params: readonly CelType[]
  readonly result: CelType
  readonly run: (...args: never[]) => Value
  /** What it costs besides the one of every call, by its arguments. */
  readonly cost?: (args: readonly Value[]) => number
}

const named: Readonly<Record<string, CelType>> = {
  bool,
  int,
  uint,
  double,
  string,
  bytes,
  null: nullType,
  dyn,
  timestamp,
  duration,
  type: typeType,
}

/** Declares an overload by its signature: `string.contains(string): bool`, `size(list<T>): int`. A dot before the name of a function of a library is written as ':'. */
export function overload(signature: string, run: (...args: never[]) => Value, cost?: Overload['cost']): Overload {
  const match = /^(?:(.+)\.)?([^.(]+)\((.*)\): (.+)$/.exec(signature)
  if (!match) throw new Error(`no signature: ${signature}`)
  const [, receiver, name, params, result] = match as unknown as [string, string | undefined, string, string, string]
  const args = split(params)
  return {
    name: name.replace(':', '.'),
    member: receiver !== undefined,
    params: [...(receiver ? [receiver] : []), ...args].map(typeOf),
    result: typeOf(result),
    run,
    ...(cost && { cost }),
  }
}

/** Splits at commas outside of angle brackets. */
function split(text: string): string[] {
  const out: string[] = []
  let depth = 0
  let start = 0
  for (let i = 0; i <= text.length; i++) {
    const letter = text[i]
    if (letter === '<') depth++
    else if (letter === '>') depth--
    else if ((letter === ',' && depth === 0) || letter === undefined) {
      if (text.slice(start, i).trim()) out.push(text.slice(start, i).trim())
      start = i + 1
    }
  }
  return out
}

function typeOf(text: string): CelType {
  const simple = named[text]
  if (simple) return simple
  const generic = /^(list|map|optional)<(.*)>$/.exec(text)
  if (!generic) return /^[A-Z]$/.test(text) ? { kind: 'param', name: text } : opaque(text)
  const [first, second] = split(generic[2]!).map(typeOf)
  return generic[1] === 'list' ? listOf(first!) : generic[1] === 'map' ? mapOf(first!, second!) : optionalOf(first!)
}

/** All functions of a language, by name. */
export class FunctionTable {
  readonly #byName = new Map<string, Overload[]>()

  constructor(overloads: readonly Overload[]) {
    for (const each of overloads) {
      const list = this.#byName.get(each.name)
      if (list) list.push(each)
      else this.#byName.set(each.name, [each])
    }
  }

  has(name: string): boolean {
    return this.#byName.has(name)
  }

  /** The overloads that may take arguments of these types, and the type of what they give; undefined when there are none. */
  resolve(
    name: string,
    member: boolean,
    args: readonly CelType[],
  ): { readonly overloads: readonly Overload[]; readonly result: CelType } | undefined {
    const found: Overload[] = []
    let result: CelType | undefined
    for (const each of this.#byName.get(name) ?? []) {
      const bound: Bindings = new Map()
      if (
        each.member !== member ||
        each.params.length !== args.length ||
        !each.params.every((param, i) => accepts(param, args[i]!, bound))
      )
        continue
      found.push(each)
      const given = bind(each.result, bound)
      result = result === undefined ? given : typeText(result) === typeText(given) ? result : dyn
    }
    return result && { overloads: found, result }
  }
}

/** Whether a value can be an argument of that type. */
export function fits(type: CelType, value: Value): boolean {
  switch (type.kind) {
    case 'bool':
      return typeof value === 'boolean'
    case 'int':
      return typeof value === 'bigint'
    case 'double':
      return typeof value === 'number'
    case 'string':
      return typeof value === 'string'
    case 'uint':
      return value instanceof Uint
    case 'bytes':
      return value instanceof Uint8Array
    case 'null':
      return value === null
    case 'list':
      return value instanceof CelList
    case 'map':
    case 'object':
      return value instanceof CelMap
    case 'timestamp':
      return value instanceof Timestamp
    case 'duration':
      return value instanceof Duration
    case 'optional':
      return value instanceof Optional
    case 'type':
      return value instanceof TypeName
    case 'opaque':
      return value instanceof Opaque && value.type === type.name
    default:
      return true
  }
}

/** Whichever overload takes the values. */
export function overloadFor(overloads: readonly Overload[], args: readonly Value[]): Overload {
  const found = overloads.find(({ params }) => params.every((param, i) => fits(param, args[i]!)))
  if (!found) throw new CelError('no such overload')
  return found
}
