import { deepEqual } from '../schema/values.ts'
import type { FieldSet } from './field-set.ts'
import { asMember, leaf, noFields, sortedNode } from './field-set.ts'
import { newFields } from './new-fields.ts'
import { isEmptyList, isMap, isNothing } from './nothing.ts'
import type { ListShape, Shape, StructShape } from './shape.ts'
import { anyShape, elementStep, pairUp } from './shape.ts'

type Draft = Record<string, FieldSet>
type Values = Readonly<Record<string, unknown>>

/**
 * Whether fields count that both have with different values. `true`: `to` is what was applied, merged, whose empty lists are values like others. `sent`: `to` is decoded, and
 * may have empty lists that JSON leaves out.
 */
export type Differing = boolean | 'sent'

/**
 * The fields that `to` has and `from` lacks; with `differing`, also those that both have with different values. So the changes of an update are
 * `gainedFields(shape, old, new, true)` and its removals `gainedFields(shape, new, old, false)`. Parts that are the same object in both are not looked into.
 */
export const gainedFields = (shape: Shape, from: unknown, to: unknown, differing: Differing): FieldSet =>
  gained(shape, from, to, differing) ?? noFields

function gained(shape: Shape, from: unknown, to: unknown, differing: Differing): FieldSet | undefined {
  if (from === undefined) return newFields(shape, undefined, to)
  if (to === undefined || from === to || shape.kind === 'ignored') return undefined
  if (shape.kind === 'leaf')
    return differing &&
      !deepEqual(from, to) &&
      !(differing === 'sent' && shape.json && isObject(to) && deepEqual(from, shape.json(to)))
      ? leaf
      : undefined
  if (isNothing(from) && isNothing(to)) return differing && !deepEqual(from, to) ? leaf : undefined
  if (shape.kind === 'any') return gainedAny(from, to, differing)
  if (to === null) return undefined
  if (shape.kind === 'list')
    return gainedElements(shape, (from as readonly unknown[] | null) ?? [], to as readonly unknown[], differing)
  if (shape.kind === 'map') return gainedEntries(shape.values(), from as Values, to as Values, differing)
  return gainedParts(shape, from as Values, to as Values, differing)
}

const isObject = (value: unknown): boolean => typeof value === 'object' && value !== null

function gainedAny(from: unknown, to: unknown, differing: Differing): FieldSet | undefined {
  if (!isMap(to)) return differing && !(to === null && isMap(from)) && !deepEqual(from, to) ? leaf : undefined
  if (from === null || isMap(from)) return gainedEntries(anyShape, from ?? undefined, to, differing)
  const all = isNothing(to) ? undefined : newFields(anyShape, null, to)
  return differing ? asMember(all) : all
}

function gainedEntries(
  values: Shape,
  from: Values | undefined | null,
  to: Values,
  differing: Differing,
): Draft | undefined {
  let out: Draft | undefined
  for (const key in to) {
    const node = gained(values, from?.[key], to[key], differing)
    if (node) (out ??= {})[`f:${key}`] = node
  }
  return out && (sortedNode(out) as Draft)
}

function gainedParts(
  shape: StructShape,
  from: Values | undefined | null,
  to: Values,
  differing: Differing,
): Draft | undefined {
  let out: Draft | undefined
  let last = -1
  let ordered = true
  for (const name in to) {
    const part = shape.fields.get(name)
    let before = from?.[name]
    if (part?.omitsEmpty && differing !== true) {
      if (isEmptyList(to[name])) continue
      if (isEmptyList(before)) before = undefined
    }
    const node = gained(part ? part.shape() : anyShape, before, to[name], differing)
    if (!node) continue
    out ??= {}
    out[part ? part.step : `f:${name}`] = node
    ordered &&= part !== undefined && part.rank > last
    if (part) last = part.rank
  }
  return out && !ordered ? inOrderOf(shape, to, out) : out
}

/** Children of a struct in order, by the ranks of its fields; `to` is where they are from. */
function inOrderOf(shape: StructShape, to: Values, children: Draft): Draft {
  if (shape.open) return sortedNode(children) as Draft
  const ranks: number[] = []
  const steps: string[] = []
  for (const name in to) {
    const part = shape.fields.get(name)
    const step = part ? part.step : `f:${name}`
    if (children[step] === undefined) continue
    const rank = part ? part.rank : shape.fields.size
    let at = ranks.length
    ranks.push(rank)
    steps.push(step)
    for (; at > 0 && ranks[at - 1]! > rank; at--) {
      ranks[at] = ranks[at - 1]!
      steps[at] = steps[at - 1]!
    }
    ranks[at] = rank
    steps[at] = step
  }
  const out: Draft = {}
  for (const step of steps) out[step] = children[step]!
  return out
}

function gainedElements(
  list: ListShape,
  from: readonly unknown[],
  to: readonly unknown[],
  differing: Differing,
): Draft | undefined {
  const items = list.items()
  let out: Draft | undefined
  if (pairUp(list, from, to)) {
    // Only what changed needs its step.
    for (let i = 0; i < to.length; i++) {
      const node = gained(items, from[i], to[i], differing)
      if (node) (out ??= {})[elementStep(list, to[i])] = node
    }
  } else {
    const before = bySteps(list, from)
    for (const [step, elements] of bySteps(list, to)) {
      const node = gainedElement(items, before.get(step), elements, differing)
      if (node) (out ??= {})[step] = node
    }
  }
  return out && (sortedNode(out) as Draft)
}

/** Elements that share a step are owned together, as one leaf. */
function gainedElement(
  items: Shape,
  before: readonly unknown[] | undefined,
  after: readonly unknown[],
  differing: Differing,
): FieldSet | undefined {
  const count = before?.length ?? 0
  if (after.length === 1)
    return count === 1
      ? gained(items, before![0], after[0], differing)
      : (newFields(items, undefined, after[0]) ?? leaf)
  if (count < 2) return leaf
  return differing && !deepEqual(before, after) ? leaf : undefined
}

function bySteps(list: ListShape, elements: readonly unknown[]): Map<string, unknown[]> {
  const out = new Map<string, unknown[]>()
  for (const element of elements) {
    const step = elementStep(list, element)
    const same = out.get(step)
    if (same) same.push(element)
    else out.set(step, [element])
  }
  return out
}
