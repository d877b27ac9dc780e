import type { FieldSet } from './field-set.ts'
import { asMember, leaf, sortedNode } from './field-set.ts'
import { elementStep, type ListKey, type ListShape } from './shape.ts'

/**
 * A place on a walk over the parts of a container: the walks that came here before went on from it. What a walk finds at its end is the set that the first such walk
 * made, so that a known way costs two comparisons a part and allocates nothing.
 */
export class Way {
  readonly #before: Way | undefined
  /** The step of the part that led here, and what is in the part; '' in the middle of one. */
  readonly #step: string
  readonly #node: FieldSet
  readonly #known: boolean
  #set: FieldSet | undefined
  /** Where the walk went the last time; other ways are looked up. */
  #nextPart: unknown
  #nextNode: FieldSet | undefined
  #next: Way | undefined
  #others: Map<unknown, Map<FieldSet, Way>> | undefined

  constructor(before?: Way, step = '', node: FieldSet = leaf, known = true) {
    this.#before = before
    this.#step = step
    this.#node = node
    this.#known = known
  }

  /** The known way on over a part (its name, or what tells an element) with these fields in it. */
  next(part: unknown, node: FieldSet): Way | undefined {
    if (this.#nextNode === node && this.#nextPart === part) return this.#next
    const found = this.#others?.get(part)?.get(node)
    if (found) this.#goesTo(part, node, found)
    return found
  }

  /** A new way on. One that is not to be known, or comes after such a one, is found by nobody else. `holds`: what the set has there when it is not `node` itself. */
  add(
    part: unknown,
    node: FieldSet,
    { step, known, holds = node }: { readonly step: string; readonly known: boolean; readonly holds?: FieldSet },
  ): Way {
    const way = new Way(this, step, holds, known && this.#known)
    if (!way.#known) return way
    this.#goesTo(part, node, way)
    count()
    return way
  }

  /** The parts up to here as one node; a step that came twice is a leaf, since its elements are owned together. */
  set(member: boolean): FieldSet {
    return (this.#set ??= this.#make(member))
  }

  #make(member: boolean): FieldSet {
    const children: Record<string, FieldSet> = {}
    for (const { step, node } of Way.#partsTo(this).reverse()) children[step] = step in children ? leaf : node
    const sorted = sortedNode(children)
    return member ? asMember(sorted) : sorted
  }

  /** The parts of the walk that ended here, the last one first. */
  static #partsTo(end: Way): { step: string; node: FieldSet }[] {
    const parts = []
    for (let way: Way | undefined = end; way; way = way.#before)
      if (way.#step) parts.push({ step: way.#step, node: way.#node })
    return parts
  }

  #goesTo(part: unknown, node: FieldSet, way: Way): void {
    if (this.#next) {
      const others = (this.#others ??= new Map())
      const known = others.get(this.#nextPart)
      if (known) known.set(this.#nextNode!, this.#next)
      else others.set(this.#nextPart, new Map([[this.#nextNode!, this.#next]]))
    }
    this.#nextPart = part
    this.#nextNode = node
    this.#next = way
  }
}

/** Containers with more parts than this are hardly ever alike: their ways need not be known. */
export const knownPartsMax = 100

interface ElementWalked {
  readonly element: unknown
  readonly node: FieldSet
  readonly known: boolean
}

/** Goes over an element of a list, which is a member of its list, by what tells it from the others: its keys, or itself. */
export function overElement(from: Way, list: ListShape, { element, node, known }: ElementWalked): Way {
  const { keys } = list
  const last = keys ? keys.length - 1 : -1
  let way = from
  for (let k = 0; k < last; k++) {
    const part = keyOf(keys![k]!, element)
    way = way.next(part, leaf) ?? way.add(part, leaf, { step: '', known: known && tells(part) })
  }
  const part = last < 0 ? element : keyOf(keys![last]!, element)
  return (
    way.next(part, node) ??
    way.add(part, node, { step: elementStep(list, element), known: known && tells(part), holds: asMember(node) })
  )
}

const keyOf = ({ name, absent }: ListKey, element: unknown): unknown =>
  (element as Readonly<Record<string, unknown>> | null)?.[name] ?? absent

/** Other values than these tell an element only to themselves. */
const tells = (value: unknown): boolean => typeof value !== 'object' || value === null

/** How many ways are known before all are forgotten: some 5 MB. */
const knownMax = 20_000
let known = 0
let firsts = new WeakMap<object, Way>()

function count(): void {
  if (++known <= knownMax) return
  known = 0
  firsts = new WeakMap()
}

/** Where walks over containers of one kind begin. */
export function firstWay(kind: object): Way {
  let first = firsts.get(kind)
  if (!first) firsts.set(kind, (first = new Way()))
  return first
}
