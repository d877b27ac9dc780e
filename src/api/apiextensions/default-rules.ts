import { validateValue } from '../crd-schema/value-validator.ts'
import { equal } from '../validation/equal.ts'
import type { FieldErrors, FieldPath } from '../validation/field.ts'
import { pruneValue } from './prune-value.ts'
import { itemsOf, type JsonSchema } from '../crd-schema/json-schema.ts'
import { additionalSchemaOf, present } from './schema-tree.ts'

/** Defaults must be what the schema itself would accept, and know. */
export function checkDefaults(schema: JsonSchema, at: FieldPath, errors: FieldErrors, insideMeta = false): void {
  if (present(schema.default)) checkDefault(schema, at.child('default'), errors, insideMeta)
  const items = itemsOf(schema)
  if (items) checkDefaults(items, at.child('items'), errors, insideMeta)
  for (const [name, property] of Object.entries(schema.properties ?? {}))
    checkDefaults(property, at.child('properties').key(name), errors, insideMeta)
  const additional = additionalSchemaOf(schema)
  if (additional) checkDefaults(additional, at.child('additionalProperties'), errors, insideMeta)
}

function checkDefault(schema: JsonSchema, at: FieldPath, errors: FieldErrors, insideMeta: boolean): void {
  const value: unknown = schema.default
  if (!insideMeta) {
    const pruned = structuredClone(value)
    pruneValue(pruned, schema)
    if (!equal(pruned, value)) errors.invalid(at, value, 'must not have unknown fields')
  }
  if (schema['x-kubernetes-embedded-resource']) checkObjectType(value, at, errors)
  if (typeof value === 'number' && (schema.multipleOf ?? 1) <= 0)
    errors.invalid(at, value, `factor MultipleOf declared for ${at.toString()} must be positive: ${schema.multipleOf}`)
  validateValue(schema, value, { path: at.toString(), old: undefined, errors })
}

/** A whole object inside of another says what it is. */
export function checkObjectType(value: unknown, at: FieldPath, errors: FieldErrors): void {
  if (typeof value !== 'object' || value === null) return
  const { apiVersion, kind } = value as { apiVersion?: unknown; kind?: unknown }
  if (!apiVersion) errors.required(at.child('apiVersion'), 'must not be empty')
  if (!kind) errors.required(at.child('kind'), 'must not be empty')
}
