import type { CelType } from '../types.ts'
import {
  alongText,
  declaredOf,
  each,
  fixed,
  plus,
  product,
  sizeOf,
  union,
  unionOfEntries,
  unknownSize,
  type Entry,
  type Part,
  type Size,
} from './size.ts'

/** A call whose arguments have been looked at. A function called on a value has it as `target`, and not among `args`. */
export interface Call {
  readonly name: string
  readonly target: Part | undefined
  readonly args: readonly Part[]
  /** Of the target, if there is one, and the arguments. */
  readonly types: readonly CelType[]
  /** A number that the second argument is. */
  readonly limit?: number | undefined
}

/** What the call itself costs, without its arguments, and what is known of the size of what it gives. */
interface Called {
  readonly cost: number
  readonly size?: Size | undefined
  readonly entry?: Entry | undefined
}

/**
 * The most that a call costs. The figures are upstream's: which rules a definition may have depends on them. Where types are known only at run time, it is the most
 * of all that the function may be.
 */
export function costOfCall(call: Call): Called {
  const known = (
    Object.hasOwn(texts, call.name)
      ? texts[call.name]
      : Object.hasOwn(operators, call.name)
        ? operators[call.name]
        : undefined
  )?.(call)
  return known ?? { cost: 1 }
}

type Rule = (call: Call) => Called | undefined

const may = (type: CelType | undefined, kind: CelType['kind']): boolean => type?.kind === kind || type?.kind === 'dyn'
const both = ({ types }: Call, kind: CelType['kind']): boolean => may(types[0], kind) && may(types[1], kind)

/** Texts that are gone through once; the result is as long at most. */
const through: Rule = ({ target }) => target && { cost: each(sizeOf(target)), size: sizeOf(target) }
const argument: Rule = ({ args }) => args[0] && { cost: each(sizeOf(args[0])) }
const sameSize: Rule = ({ args }) => args[0] && { cost: each(sizeOf(args[0])), size: sizeOf(args[0]) }

/** A letter of a pattern; a state is guessed to be four of them. */
const alongPattern = 0.25
/** Empty texts are searched, too. */
const searched = (text: Part, pattern: Part): number =>
  product(each(plus(sizeOf(text), fixed(1))), each(sizeOf(pattern), alongPattern))

/** Elements that are compared one by one; texts letter by letter. */
const elements: Rule = ({ target, types }) => {
  if (!target) return undefined
  const list = types[0]
  if (list?.kind !== 'list') return { cost: each(sizeOf(target)) }
  const isText = list.item.kind === 'string' || list.item.kind === 'bytes'
  const item = declaredOf(target)?.item()
  const one = isText ? 1 + each(item ? { min: 0, max: item.max } : unknownSize) : 1
  return { cost: product(sizeOf(target).max, one) }
}

/** Every element of one list with every one of the other. */
const pairs =
  (factor: number): Rule =>
  ({ args: [a, b] }) =>
    a && b && { cost: Math.ceil(product(product(sizeOf(a).max, sizeOf(b).max), factor)) + 1 }

/** The bytes of an address, and of the text of one that has to be read first. */
const addressBytesMax = 16
const inRange =
  (more: number): Rule =>
  ({ args: [other], types }) =>
    other && { cost: each(fixed(2 * addressBytesMax)) + more + (may(types[1], 'string') ? each(sizeOf(other)) : 0) }

/** What the patterns of named formats are at most. */
const formatPatternMax = 128

/** Functions of texts, lists and the types of Kubernetes. */
const texts: Readonly<Record<string, Rule>> = {
  check: () => ({ cost: 350_000 }),
  isSorted: elements,
  sum: elements,
  max: elements,
  min: elements,
  indexOf: elements,
  lastIndexOf: elements,
  url: sameSize,
  lowerAscii: through,
  upperAscii: through,
  substring: through,
  trim: through,
  replace,
  split: ({ target, limit }) =>
    target && { cost: each(sizeOf(target), 2 * alongText), size: { min: 0, max: limit ?? sizeOf(target).max } },
  join,
  find: found,
  findAll: found,
  cidr: argument,
  isIP: argument,
  isCIDR: argument,
  ip: ({ target, args }) => (target ? undefined : args[0] && { cost: each(sizeOf(args[0])) }),
  'ip.isCanonical': ({ args }) => args[0] && { cost: each(sizeOf(args[0]), 2 * alongText) },
  containsIP: inRange(0),
  containsCIDR: inRange(each(fixed(addressBytesMax)) + 1),
  quantity: argument,
  isQuantity: argument,
  semver: argument,
  isSemver: argument,
  validate: ({ args }) => args[0] && { cost: each(fixed(each(sizeOf(args[0]))), formatPatternMax * alongPattern) },
  format: ({ target }) => target && { cost: each(sizeOf(target)) },
  'strings.quote': ({ args }) =>
    args[0] && {
      cost: each(sizeOf(args[0])),
      size: { min: sizeOf(args[0]).min + 2, max: 2 * sizeOf(args[0]).max + 2 },
    },
  startsWith: argument,
  endsWith: argument,
  contains: ({ target, args }) => target && args[0] && { cost: product(each(sizeOf(target)), each(sizeOf(args[0]))) },
  matches: ({ target, args }) => target && args[0] && { cost: searched(target, args[0]) },
  string: ({ args, types }) =>
    args[0] && may(types[0], 'bytes')
      ? {
          cost: Math.max(types[0]?.kind === 'dyn' ? 1 : 0, each(sizeOf(args[0]))),
          size: { min: Math.floor(sizeOf(args[0]).min / 4), max: sizeOf(args[0]).max },
        }
      : undefined,
  bytes: ({ args, types }) =>
    args[0] && may(types[0], 'string')
      ? {
          cost: Math.max(types[0]?.kind === 'dyn' ? 1 : 0, each(sizeOf(args[0]))),
          size: { min: sizeOf(args[0]).min, max: 4 * sizeOf(args[0]).max },
        }
      : undefined,
  dyn: ({ args }) => ({ cost: 1, size: args[0]?.size, entry: args[0]?.entry }),
  'sets.contains': pairs(1),
  'sets.intersects': pairs(1),
  'sets.equivalent': pairs(2),
}

function replace({ target, args: [old, by] }: Call): Called | undefined {
  if (!target || !old || !by) return undefined
  const [text, from, to] = [sizeOf(target), sizeOf(old), sizeOf(by)]
  // The longest result: nothing is replaced around every letter, or the shortest parts become the longest.
  const most =
    from.min === 0
      ? { count: text.max + 1, kept: text.max }
      : to.max <= from.min
        ? { count: 0, kept: text.max }
        : { count: Math.ceil(text.max / from.min), kept: 0 }
  const least =
    from.max === 0
      ? { count: text.min + 1, kept: text.min }
      : from.max <= to.min
        ? { count: 0, kept: text.min }
        : { count: Math.ceil(text.min / from.max), kept: 0 }
  return {
    cost: each(text, 2 * alongText),
    size: { min: product(least.count, to.min) + least.kept, max: product(most.count, to.max) + most.kept },
  }
}

function join({ target, args: [separator] }: Call): Called | undefined {
  if (!target) return undefined
  const count = sizeOf(target)
  const item = declaredOf(target)?.item()
  const of = item ? { min: 0, max: item.max } : unknownSize
  let size: Size = { min: product(count.min, of.min), max: product(count.max, of.max) }
  if (separator)
    size = plus(size, {
      min: product(sizeOf(separator).min, Math.max(0, count.min - 1)),
      max: product(sizeOf(separator).max, Math.max(0, count.max - 1)),
    })
  return { cost: each(size), size }
}

function found({ target, args: [pattern] }: Call): Called | undefined {
  return target && pattern && { cost: searched(target, pattern), size: { min: 0, max: sizeOf(target).max } }
}

const compared: Rule = (call) => {
  const [a, b] = call.args
  if (!a || !b || (call.name !== '_==_' && call.name !== '_!=_' && !both(call, 'string') && !both(call, 'bytes')))
    return undefined
  if (call.name === '_==_' && call.types[0]?.kind === 'opaque' && call.types[1]?.kind === 'opaque') return { cost: 1 }
  const cost = each({ min: 0, max: Math.min(sizeOf(a).max, sizeOf(b).max) })
  return { cost: call.types.some(({ kind }) => kind === 'dyn') ? Math.max(1, cost) : cost }
}

/** Operators. */
const operators: Readonly<Record<string, Rule>> = {
  '_==_': compared,
  '_!=_': compared,
  '_<_': compared,
  '_<=_': compared,
  '_>_': compared,
  '_>=_': compared,
  '@in': ({ args, types }) =>
    args[1] && may(types[1], 'list')
      ? { cost: Math.max(types[1]?.kind === 'dyn' ? 1 : 0, each(sizeOf(args[1]), 1)) }
      : undefined,
  '_+_'(call) {
    const [a, b] = call.args
    const isText = both(call, 'string') || both(call, 'bytes')
    if (!a || !b || (!isText && !both(call, 'list'))) return undefined
    const size = plus(sizeOf(a), sizeOf(b))
    const isOpen = both(call, 'list') || call.types.some(({ kind }) => kind === 'dyn')
    return { cost: Math.max(isOpen ? 1 : 0, isText ? each(size) : 1), size, entry: unionOfEntries(a.entry, b.entry) }
  },
}

/** The part that a choice between two gives. */
export const either = (condition: Part, a: Part, b: Part): Part => ({
  cost: condition.cost + Math.max(a.cost, b.cost),
  size: union(sizeOf(a), sizeOf(b)),
  entry: unionOfEntries(a.entry, b.entry),
})
