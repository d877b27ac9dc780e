import { additionalOf, allowsAdditional, itemsOf, type JsonSchema, present } from './json-schema.ts'

type Fields = Record<string, unknown>
const isFields = (value: unknown): value is Fields => typeof value === 'object' && value !== null && !Array.isArray(value)
const objectFields = new Set(['apiVersion', 'kind', 'metadata'])

/** Removes what the schema does not know, in place; `root`: the value is a whole object, whose type and metadata stay. */
export function pruneValue(value: unknown, schema: JsonSchema | undefined, root = false): void {
  if (Array.isArray(value)) {
    const items = schema && itemsOf(schema)
    for (const item of value as unknown[]) pruneValue(item, items ?? (schema?.['x-kubernetes-preserve-unknown-fields'] ? schema : undefined))
    return
  }
  if (!isFields(value)) return
  const preserves = schema?.['x-kubernetes-preserve-unknown-fields'] === true
  const whole = root || schema?.['x-kubernetes-embedded-resource'] === true
  const additional = schema && additionalOf(schema)
  for (const key of Object.keys(value)) {
    if (whole && objectFields.has(key)) continue
    const property = schema?.properties?.[key]
    if (property) pruneValue(value[key], property)
    else if (additional) pruneValue(value[key], additional)
    else if (!preserves && !(schema && allowsAdditional(schema))) delete value[key]
  }
}

/** Fills in the schema's defaults, in place. An explicit null where null is not allowed gives way to the default. */
export function defaultValue(value: unknown, schema: JsonSchema | undefined): void {
  if (!schema) return
  if (Array.isArray(value)) {
    const items = itemsOf(schema)
    if (items) for (const item of value as unknown[]) defaultValue(item, items)
    return
  }
  if (!isFields(value)) return
  for (const [key, property] of Object.entries(schema.properties ?? {})) {
    const usable = property.nullable ? value[key] !== undefined : present(value[key])
    if (!usable && present(property.default)) value[key] = structuredClone(property.default)
    if (present(value[key])) defaultValue(value[key], property)
  }
  const additional = additionalOf(schema)
  if (!additional) return
  for (const key of Object.keys(value)) {
    if (schema.properties?.[key]) continue
    if (value[key] === null && !additional.nullable && present(additional.default)) value[key] = structuredClone(additional.default)
    defaultValue(value[key], additional)
  }
}
