import type { FieldSet } from './field-set.ts'
import { isMember } from './field-set.ts'
import type { ListShape, Shape } from './shape.ts'
import { anyShape, elementStep } from './shape.ts'

type Values = Readonly<Record<string, unknown>>

/** The value without the fields of a set: a member goes with all that is below it; a container that is left without parts goes too. Shares what stays. */
export function removeFields(shape: Shape, value: unknown, fields: FieldSet): unknown {
  if (typeof value !== 'object' || value === null || shape.kind === 'leaf' || shape.kind === 'ignored') return value
  if (shape.kind === 'list') return Array.isArray(value) ? removeElements(shape, value, fields) : value
  return Array.isArray(value) ? value : removeParts(shape, value as Values, fields)
}

function removeParts(shape: Shape, values: Values, fields: FieldSet): unknown {
  let out: Record<string, unknown> | undefined
  for (const name in values) {
    const node = fields[`f:${name}`]
    if (!node) continue
    const part = shape.kind === 'struct' ? shape.fields.get(name) : undefined
    const kept = isMember(node)
      ? undefined
      : removeFields(part ? part.shape() : shape.kind === 'map' ? shape.values() : anyShape, values[name], node)
    if (kept === values[name]) continue
    out ??= { ...values }
    if (kept === undefined) delete out[name]
    else out[name] = kept
  }
  return out ? (Object.keys(out).length > 0 ? out : undefined) : values
}

function removeElements(list: ListShape, elements: readonly unknown[], fields: FieldSet): unknown {
  const out: unknown[] = []
  let changed = false
  for (const element of elements) {
    const node = fields[elementStep(list, element)]
    const kept = !node ? element : isMember(node) ? undefined : removeFields(list.items(), element, node)
    if (kept !== undefined) out.push(kept)
    changed ||= kept !== element
  }
  return changed ? (out.length > 0 ? out : undefined) : elements
}

/** The set with the struct fields on the way to its members as members too: `.a.b.c` then also has `.a` where that is a field and not a map entry. */
export function withNamedFields(shape: Shape, fields: FieldSet): FieldSet {
  let out: Record<string, FieldSet> | undefined
  for (const step in fields) {
    if (step === '.') continue
    const node = fields[step]!
    const part = shape.kind === 'struct' && step[0] === 'f' ? shape.fields.get(step.slice(2)) : undefined
    const inner = part
      ? part.shape()
      : shape.kind === 'map'
        ? shape.values()
        : shape.kind === 'list' && step[0] === 'k'
          ? shape.items()
          : anyShape
    let named = withNamedFields(inner, node)
    if (part && !isMember(named)) named = { '.': {}, ...named }
    if (named !== node) (out ??= { ...fields })[step] = named
  }
  return out ?? fields
}
