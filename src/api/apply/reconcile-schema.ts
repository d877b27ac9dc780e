import type { StructSchema } from '../schema/schema.ts'
import type { FieldSet } from './field-set.ts'
import { leaf } from './field-set.ts'
import type { Manager } from './managers.ts'
import { withFields } from './managers.ts'
import type { Shape } from './shape.ts'
import { shapeOf } from './shape.ts'

/**
 * Custom kinds may change their schema: what is owned as a whole now is no longer owned in parts, so that whoever owned a part owns it all. Built-in kinds do not
 * change while they are served.
 */
export function reconcileWithSchema(managers: readonly Manager[], schema: StructSchema): readonly Manager[] {
  if (schema.name !== '') return managers
  const shape = shapeOf(schema)
  return managers.map((manager) => withFields(manager, reconciled(shape, manager.fields)))
}

function reconciled(shape: Shape, fields: FieldSet): FieldSet {
  let out: Record<string, FieldSet> | undefined
  for (const step in fields) {
    if (step === '.') continue
    const inner = innerShape(shape, step)
    if (!inner) continue
    const node = inner.kind === 'leaf' ? leaf : reconciled(inner, fields[step]!)
    if (node !== fields[step] && !(node === leaf && Object.keys(fields[step]!).length === 0))
      (out ??= { ...fields })[step] = node
  }
  return out ?? fields
}

function innerShape(shape: Shape, step: string): Shape | undefined {
  if (shape.kind === 'struct') return shape.fields.get(step.slice(2))?.shape()
  if (shape.kind === 'map') return shape.values()
  return shape.kind === 'list' && step[0] === 'k' ? shape.items() : undefined
}
