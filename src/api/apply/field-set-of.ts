import type { FieldSet } from './field-set.ts'
import { asMember, leaf, noFields } from './field-set.ts'
import { isEmptyMap, isMap } from './nothing.ts'
import type { ListShape, Shape } from './shape.ts'
import { anyShape } from './shape.ts'
import { firstWay, knownPartsMax, overElement, type Way } from './way.ts'

type Values = Readonly<Record<string, unknown>>

/**
 * The fields that whoever applies `value` owns: leaves, list elements, and map entries; a struct or list around them is not owned itself. Empty maps and nulls are.
 * The same fields are the same object each time: what is applied again mostly differs in values only.
 */
export const fieldSetOf = (shape: Shape, value: unknown): FieldSet => fieldsOf(shape, value) ?? noFields

function fieldsOf(shape: Shape, value: unknown): FieldSet | undefined {
  if (value === undefined || shape.kind === 'ignored') return undefined
  if (shape.kind === 'leaf') return leaf
  if (shape.kind === 'list') return Array.isArray(value) ? setAt(overElements, shape, value) : undefined
  if (shape.kind === 'any' && (typeof value !== 'object' || Array.isArray(value))) return leaf
  if (typeof value !== 'object' || value === null) return undefined
  return setAt(overEntries, shape, value as Values)
}

/** Marks where walks over what is applied begin: they see other members than those over what is new. */
const beginnings = new WeakMap<Shape, object>()

function setAt<S extends Shape, V>(
  over: (first: Way, shape: S, value: V) => Way,
  shape: S,
  value: V,
): FieldSet | undefined {
  let beginning = beginnings.get(shape)
  if (!beginning) beginnings.set(shape, (beginning = {}))
  const first = firstWay(beginning)
  const end = over(first, shape, value)
  return end === first ? undefined : end.set(false)
}

function overEntries(first: Way, shape: Shape, values: Values): Way {
  let way = first
  let left = knownPartsMax
  for (const name in values) {
    const value = values[name]
    if (value === undefined) continue
    const part = shape.kind === 'struct' ? shape.fields.get(name) : undefined
    const found = fieldsOf(part ? part.shape() : shape.kind === 'map' ? shape.values() : anyShape, value)
    const member = !part || value === null || (isMap(value) && isEmptyMap(value))
    if (!found && !member) continue
    const node = found ?? leaf
    way =
      way.next(name, node) ??
      way.add(name, node, {
        step: part ? part.step : `f:${name}`,
        known: left-- > 0,
        holds: member ? asMember(node) : node,
      })
  }
  return way
}

function overElements(first: Way, list: ListShape, elements: readonly unknown[]): Way {
  let way = first
  for (let i = 0; i < elements.length; i++)
    way = overElement(way, list, {
      element: elements[i],
      node: fieldsOf(list.items(), elements[i]) ?? leaf,
      known: i < knownPartsMax,
    })
  return way
}
