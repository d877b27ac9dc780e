import { checked, type Language } from '../compile.ts'
import type { Node } from '../syntax.ts'
import { dyn, type CelType } from '../types.ts'
import { costOfCall, either } from './calls.ts'
import {
  declaredOf,
  fixed,
  isScalar,
  product,
  sizeOf,
  union,
  unknownSize,
  type DeclaredSize,
  type Entry,
  type Part,
  type Size,
} from './size.ts'

/*
 * What an expression costs at most, before it ever runs: the steps of its parts, where texts, lists and maps are as large as their schema lets them be. Infinity where nothing bounds it.
 * Names, fields and calls cost one; literals nothing. A comprehension costs its body as often as its range can have elements.
 */

/** The most that running an expression can cost. `whole` is the declared size of what every name stands for that the expression has not introduced itself. Throws a CelSyntaxError. */
export function estimateCost(source: string, language: Language, whole: DeclaredSize): number {
  const { node, types } = checked(source, language)
  return new Estimator(types, whole).part(node, new Map()).cost
}

/** What is known of a name that the expression itself has introduced. */
interface Local {
  readonly declared?: Part['declared']
  readonly size?: Size | undefined
  readonly entry?: Entry | undefined
}

type Locals = ReadonlyMap<string, Local>

const listCost = 10
const mapCost = 30
const objectCost = 40

class Estimator {
  readonly #types: ReadonlyMap<Node, CelType>
  readonly #whole: DeclaredSize

  constructor(types: ReadonlyMap<Node, CelType>, whole: DeclaredSize) {
    this.#types = types
    this.#whole = whole
  }

  /** A part with its size: computed, written out, declared, or that of its type. */
  part(node: Node, locals: Locals): Part {
    const part = this.#visit(node, locals)
    if (part.size) return part
    const local = node.op === 'name' ? locals.get(node.name) : undefined
    const size = literalSize(node) ?? sizeDeclared(part) ?? (isScalar(this.#type(node)) ? fixed(1) : local?.size)
    return { ...part, size }
  }

  /** What is declared of a part of a value. Upstream takes the first step away from a computed value for the way to the whole. */
  #inside(declared: Part['declared'], step: (declared: DeclaredSize) => DeclaredSize | undefined): Part['declared'] {
    if (declared === undefined) return this.#whole
    return declared === 'lost' ? 'lost' : (step(declared) ?? 'lost')
  }

  #keys({ range, isList }: Around): Local {
    return {
      size: range.entry?.key,
      declared: this.#inside(range.declared, (declared) => (isList ? undefined : declared.keys())),
    }
  }

  #values({ range }: Around): Local {
    return { size: range.entry?.value, declared: this.#inside(range.declared, (declared) => declared.item()) }
  }

  #type(node: Node): CelType {
    return this.#types.get(node) ?? dyn
  }

  #visit(node: Node, locals: Locals): Part {
    switch (node.op) {
      case 'literal':
        return { cost: 0 }
      case 'name': {
        const local = locals.get(node.name)
        return local ? { cost: 1, declared: local.declared, entry: local.entry } : { cost: 1, declared: this.#whole }
      }
      case 'select':
        return this.#select(node, locals)
      case 'index':
        return this.#index(node, locals)
      case 'list': {
        const items = node.items.map(({ value }) => this.part(value, locals))
        return { cost: sum(items) + listCost, entry: { of: 'list', key: fixed(1), value: covering(items) } }
      }
      case 'map': {
        const keys = node.entries.map(({ key }) => this.part(key, locals))
        const values = node.entries.map(({ value }) => this.part(value, locals))
        return {
          cost: sum(keys) + sum(values) + mapCost,
          entry: { of: 'map', key: covering(keys), value: covering(values) },
        }
      }
      case 'object':
        return { cost: sum(node.fields.map(({ value }) => this.part(value, locals))) + objectCost }
      case 'and':
      case 'or':
        return { cost: this.part(node.left, locals).cost + this.part(node.right, locals).cost }
      case 'if':
        return either(this.part(node.condition, locals), this.part(node.then, locals), this.part(node.else, locals))
      case 'call':
        return this.#macro(node, locals) ?? this.#call(node, locals)
    }
  }

  #select({ of, field, optional }: Node & { op: 'select' }, locals: Locals): Part {
    const base = this.part(of, locals)
    if (optional) return { cost: base.cost + 1 }
    const { kind } = this.#type(of)
    return {
      cost: base.cost + (kind === 'map' || kind === 'object' ? 1 : 0),
      declared: this.#inside(base.declared, (declared) => declared.field(field)),
    }
  }

  #index({ of, index, optional }: Node & { op: 'index' }, locals: Locals): Part {
    const base = this.part(of, locals)
    const cost = 1 + base.cost + this.part(index, locals).cost
    return optional
      ? { cost }
      : { cost, size: base.entry?.value, declared: this.#inside(base.declared, (declared) => declared.item()) }
  }

  #call({ name, target, args }: Node & { op: 'call' }, locals: Locals): Part {
    // The name of a library is no value.
    const isMember = target !== undefined && this.#types.has(target)
    const on = isMember ? this.part(target, locals) : undefined
    const parts = args.map((arg) => this.part(arg, locals))
    const second = args[1]
    const { cost, ...result } = costOfCall({
      name: target && !isMember ? `${libraryName(target)}.${name}` : name,
      target: on,
      args: parts,
      types: [...(isMember ? [target] : []), ...args].map((each) => this.#type(each)),
      limit: second?.op === 'literal' && typeof second.value === 'bigint' ? Number(second.value) : undefined,
    })
    return { cost: cost + (on?.cost ?? 0) + sum(parts), ...result }
  }

  #macro({ name, target, args }: Node & { op: 'call' }, locals: Locals): Part | undefined {
    const [first, second, third, fourth] = args
    if (!target)
      return name === 'has' && first?.op === 'select' ? { cost: this.part(first.of, locals).cost } : undefined
    if (first?.op !== 'name' || !second) return undefined
    const named = (local: Local): Locals => new Map([...locals, [first.name, local]])
    if (name === 'bind' && third && !this.#types.has(target)) {
      const value = this.part(second, locals)
      return this.#bound(value, value.cost, third, named(value))
    }
    if ((name === 'optMap' || name === 'optFlatMap') && !third) {
      const on = this.part(target, locals)
      const { cost } = this.#bound({ cost: 0 }, on.cost + 1, second, named({}))
      return { cost: on.cost + 1 + Math.max(1, cost + (name === 'optMap' ? 1 : 0)) }
    }
    if (!comprehensions.has(name)) return undefined
    const two = name.startsWith('transform') || (third !== undefined && name !== 'map')
    const range = this.part(target, locals)
    const around = { range, isList: (range.entry?.of ?? this.#type(target).kind) === 'list' }
    const within =
      two && second.op === 'name'
        ? new Map([...named(this.#keys(around)), [second.name, this.#values(around)]])
        : named(around.isList ? this.#values(around) : this.#keys(around))
    const bodies = (two ? [third, fourth] : [second, third]).flatMap((body) => (body ? [this.part(body, within)] : []))
    return this.#comprehension(name, range, bodies, this.part(first, within))
  }

  /** A value that is given a name: upstream goes through an empty list for that. */
  #bound(value: Part, valueCost: number, body: Node, within: Locals): Part {
    const { cost, size, entry } = this.part(body, within)
    return { ...value, declared: undefined, cost: listCost + valueCost + cost, size, entry }
  }

  /** Each step tells whether to go on, reads what there is so far, and makes something of it and the body. */
  #comprehension(name: string, range: Part, bodies: readonly Part[], item: Part): Part {
    const count = sizeOf(range)
    const last = bodies.at(-1)!
    const condition = bodies.length > 1 ? bodies[0] : undefined
    const whole = (start: number, step: number, end: number) => range.cost + start + end + product(count.max, step)
    const chosen = (step: number, when: Part | undefined) => (when ? when.cost + Math.max(step, 1) : step)
    const list = (value: Part): Entry => ({ of: 'list', key: fixed(1), value: union(fixed(0), sizeOf(value)) })
    switch (name) {
      case 'all':
        return { cost: whole(0, 3 + last.cost, 1), size: fixed(1) }
      case 'exists':
        return { cost: whole(0, 4 + last.cost, 1), size: fixed(1) }
      case 'exists_one':
      case 'existsOne':
        return { cost: whole(0, 2 + last.cost, 2), size: fixed(1) }
      case 'filter':
        return { cost: whole(listCost, chosen(2 + listCost + item.cost, last), 1), size: count, entry: list(item) }
      case 'map':
      case 'transformList':
        return { cost: whole(listCost, chosen(2 + listCost + last.cost, condition), 1), size: count, entry: list(last) }
      default:
        return {
          cost: whole(mapCost, chosen(2 + last.cost + (name === 'transformMap' ? 1 : 0), condition), 1),
          size: count,
        }
    }
  }
}

const comprehensions: ReadonlySet<string> = new Set([
  'all',
  'exists',
  'exists_one',
  'existsOne',
  'filter',
  'map',
  'transformList',
  'transformMap',
  'transformMapEntry',
])

interface Around {
  readonly range: Part
  readonly isList: boolean
}

const sizeDeclared = (part: Part): Size | undefined => {
  const declared = declaredOf(part)
  return declared && { min: 0, max: declared.max }
}

const sum = (parts: readonly Part[]): number => parts.reduce((total, { cost }) => total + cost, 0)

/** The size that covers all of them. */
const covering = (parts: readonly Part[]): Size =>
  parts.length === 0 ? fixed(0) : parts.map((part) => part.size ?? unknownSize).reduce(union)

function literalSize(node: Node): Size | undefined {
  if (node.op === 'list') return fixed(node.items.length)
  if (node.op === 'map') return fixed(node.entries.length)
  if (node.op !== 'literal') return undefined
  const { value } = node
  return fixed(typeof value === 'string' ? [...value].length : value instanceof Uint8Array ? value.length : 1)
}

function libraryName(node: Node): string {
  if (node.op === 'name') return node.name
  return node.op === 'select' ? `${libraryName(node.of)}.${node.field}` : ''
}
