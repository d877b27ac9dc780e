import type { FieldSet } from './field-set.ts'
import { asMember, leaf, noFields, sortedNode } from './field-set.ts'
import type { ListShape, Shape } from './shape.ts'
import { anyShape, elementStep } from './shape.ts'

type Draft = Record<string, FieldSet>
type Values = Readonly<Record<string, unknown>>

/**
 * The fields that whoever applies `value` owns: leaves, list elements, and map entries; a struct or list around them is not owned itself. Empty maps and nulls are.
 */
export const fieldSetOf = (shape: Shape, value: unknown): FieldSet => fieldsOf(shape, value) ?? noFields

function fieldsOf(shape: Shape, value: unknown): FieldSet | undefined {
  if (value === undefined || shape.kind === 'ignored') return undefined
  if (shape.kind === 'leaf') return leaf
  if (shape.kind === 'list') return Array.isArray(value) ? elementsOf(shape, value) : undefined
  if (shape.kind === 'any' && (typeof value !== 'object' || Array.isArray(value))) return leaf
  if (typeof value !== 'object' || value === null) return undefined
  return entriesOf(shape, value as Values)
}

function entriesOf(shape: Shape, values: Values): FieldSet | undefined {
  let out: Draft | undefined
  for (const name in values) {
    const value = values[name]
    if (value === undefined) continue
    const part = shape.kind === 'struct' ? shape.fields.get(name) : undefined
    const node = fieldsOf(part ? part.shape() : shape.kind === 'map' ? shape.values() : anyShape, value)
    const member = !part || value === null || isEmptyMap(value)
    if (node || member) (out ??= {})[part ? part.step : `f:${name}`] = member ? asMember(node) : node!
  }
  return out && sortedNode(out)
}

function isEmptyMap(value: unknown): boolean {
  if (typeof value !== 'object' || Array.isArray(value)) return false
  for (const name in value) if ((value as Values)[name] !== undefined) return false
  return true
}

function elementsOf(list: ListShape, elements: readonly unknown[]): FieldSet | undefined {
  let out: Draft | undefined
  const seen = new Set<string>()
  for (const element of elements) {
    const step = elementStep(list, element)
    out ??= {}
    // Elements that share a step are owned together.
    out[step] = seen.has(step) ? leaf : asMember(fieldsOf(list.items(), element))
    seen.add(step)
  }
  return out && sortedNode(out)
}
