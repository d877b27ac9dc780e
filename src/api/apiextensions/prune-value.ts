import { isObject, itemsOf, type JsonSchema } from '../crd-schema/json-schema.ts'
import { allowsAdditional, additionalSchemaOf } from './schema-tree.ts'

const objectFields = new Set(['apiVersion', 'kind', 'metadata'])

/** Removes what the schema does not know from a part of an object, in place. */
export function pruneValue(value: unknown, schema: JsonSchema | undefined): void {
  if (Array.isArray(value)) {
    const items = schema && itemsOf(schema)
    for (const item of value as unknown[])
      pruneValue(item, items ?? (schema?.['x-kubernetes-preserve-unknown-fields'] ? schema : undefined))
    return
  }
  if (!isObject(value)) return
  const preserves = schema?.['x-kubernetes-preserve-unknown-fields'] === true
  const whole = schema?.['x-kubernetes-embedded-resource'] === true
  const additional = schema && additionalSchemaOf(schema)
  for (const key of Object.keys(value)) {
    if (whole && objectFields.has(key)) continue
    const property = schema?.properties?.[key]
    if (property) pruneValue(value[key], property)
    else if (additional) pruneValue(value[key], additional)
    else if (!preserves && !(schema && allowsAdditional(schema))) delete value[key]
  }
}
