import { equal } from '../validation/equal.ts'
import type { FieldErrors, FieldPath } from '../validation/field.ts'
import { pruneValue } from './custom-values.ts'
import { additionalOf, itemsOf, type JsonSchema, present } from './json-schema.ts'
import { checkValue } from './value-rules.ts'

/** Defaults must be what the schema itself would accept, and know. */
export function checkDefaults(schema: JsonSchema, at: FieldPath, errors: FieldErrors, insideMeta = false): void {
  if (present(schema.default)) checkDefault(schema, at.child('default'), errors, insideMeta)
  const items = itemsOf(schema)
  if (items) checkDefaults(items, at.child('items'), errors, insideMeta)
  for (const [name, property] of Object.entries(schema.properties ?? {})) checkDefaults(property, at.child('properties').key(name), errors, insideMeta)
  const additional = additionalOf(schema)
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
  checkValue(value, schema, at, errors)
}

/** A whole object inside of another says what it is. */
export function checkObjectType(value: unknown, at: FieldPath, errors: FieldErrors): void {
  if (typeof value !== 'object' || value === null) return
  const { apiVersion, kind } = value as { apiVersion?: unknown; kind?: unknown }
  if (!apiVersion) errors.required(at.child('apiVersion'), 'must not be empty')
  if (!kind) errors.required(at.child('kind'), 'must not be empty')
}
