import type { StructSchema } from '../schema/schema.ts'
import { zeroScalar } from '../schema/zero.ts'

const empties = new WeakMap<StructSchema, Readonly<Record<string, unknown>>>()

/** How deep structs are written out: types that contain themselves do so through pointers and lists, which end it. */
const depthMax = 20

/**
 * The object before it was created, as upstream compares with it: nothing but the fields that Go always writes. A creation owns what differs from it, which is why
 * `spec.containers` (written as null) has no `.` of its own and `spec.volumes` (left out) has.
 */
export function emptyObject(schema: StructSchema): Readonly<Record<string, unknown>> {
  let empty = empties.get(schema)
  if (!empty) empties.set(schema, (empty = Object.freeze(isCustom(schema) ? {} : zeroStruct(schema, 0))))
  return empty
}

/** Objects of custom kinds have no Go type, so nothing is always written. */
const isCustom = (schema: StructSchema): boolean => schema.name === ''

function zeroStruct(schema: StructSchema, depth: number): Record<string, unknown> {
  const out: Record<string, unknown> = {}
  for (const [name, field] of schema.fields) {
    if (field.omit !== 'never') continue
    const inner = field.schema
    if (field.pointer) out[name] = null
    else if (inner.type !== 'struct') out[name] = zeroScalar(inner.type) ?? null
    else if (depth < depthMax) out[name] = zeroStruct(inner, depth + 1)
  }
  return out
}
