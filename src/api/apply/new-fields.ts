import { deepEqual } from '../schema/values.ts'
import type { FieldSet } from './field-set.ts'
import { leaf } from './field-set.ts'
import { isEmptyList, isMap, isNothing } from './nothing.ts'
import type { ListShape, Shape, StructShape } from './shape.ts'
import { anyShape } from './shape.ts'
import { firstWay, knownPartsMax, overElement, type Way } from './way.ts'

type Values = Readonly<Record<string, unknown>>

/**
 * The fields of `to` where nothing of it was there before: `from` is absent, null, or what `emptyObject` has in its place. The same as `gainedFields` finds, only that
 * the same fields always are the same object: most new objects look like one before them, as the pods of a template do, and sets that are one object need not be
 * compared, united or subtracted.
 */
export function newFields(shape: Shape, from: unknown, to: unknown): FieldSet | undefined {
  if (to === undefined || shape.kind === 'ignored') return undefined
  if (shape.kind === 'leaf' || (isNothing(from) && isNothing(to))) return newLeaf(from, to)
  if (shape.kind === 'any' && !isMap(to)) return to === null && isMap(from) ? undefined : newLeaf(from, to)
  if (to === null) return undefined
  const way = beginning(shape, from)
  if (shape.kind === 'list') return setAt(overElements(way, shape, to as readonly unknown[]), way, from)
  if (shape.kind === 'struct')
    return setAt(overParts(way, shape, { from: from as Values | null | undefined, to: to as Values }), way, from)
  return setAt(overEntries(way, shape.kind === 'map' ? shape.values() : anyShape, to as Values), way, from)
}

const newLeaf = (from: unknown, to: unknown): FieldSet | undefined =>
  from === undefined || !deepEqual(from, to) ? leaf : undefined

/** Null in the place of something marks what was not a member before, either. */
const nulled = new WeakMap<Shape, object>()

function beginning(shape: Shape, from: unknown): Way {
  if (from === undefined) return firstWay(shape)
  if (typeof from === 'object' && from !== null) return firstWay(from)
  let mark = nulled.get(shape)
  if (!mark) nulled.set(shape, (mark = {}))
  return firstWay(mark)
}

/** The set at the end of a walk: what is all new is a member itself. */
function setAt(end: Way, beginning: Way, from: unknown): FieldSet | undefined {
  if (end !== beginning) return end.set(from === undefined)
  return from === undefined ? leaf : undefined
}

function overParts(
  beginning: Way,
  shape: StructShape,
  { from, to }: { readonly from: Values | null | undefined; readonly to: Values },
): Way {
  let way = beginning
  let left = knownPartsMax
  for (const name in to) {
    const part = shape.fields.get(name)
    const value = to[name]
    let before = from?.[name]
    if (part?.omitsEmpty) {
      if (isEmptyList(value)) continue
      if (isEmptyList(before)) before = undefined
    }
    const node = newFields(part ? part.shape() : anyShape, before, value)
    if (node)
      way = way.next(name, node) ?? way.add(name, node, { step: part ? part.step : `f:${name}`, known: left-- > 0 })
  }
  return way
}

function overEntries(beginning: Way, values: Shape, to: Values): Way {
  let way = beginning
  let left = knownPartsMax
  for (const key in to) {
    const node = newFields(values, undefined, to[key])
    if (node) way = way.next(key, node) ?? way.add(key, node, { step: `f:${key}`, known: left-- > 0 })
  }
  return way
}

function overElements(beginning: Way, list: ListShape, to: readonly unknown[]): Way {
  const items = list.items()
  let way = beginning
  for (let i = 0; i < to.length; i++)
    way = overElement(way, list, {
      element: to[i],
      node: newFields(items, undefined, to[i]) ?? leaf,
      known: i < knownPartsMax,
    })
  return way
}
