import type { JSONSchemaProps } from '../generated/types/apiextensions-v1.ts'
import type { Frozen } from '../resource.ts'

/** A part of a schema as a definition declares it. */
export type JsonSchema = Frozen<JSONSchemaProps>

/** A JSON object. */
export type JsonObject = Record<string, unknown>

/** Whether a value is a JSON object, and neither a list nor null. */
export const isObject = (value: unknown): value is JsonObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** The schema of a declared property. */
export function propertyOf(schema: JsonSchema, name: string): JsonSchema | undefined {
  const { properties } = schema
  return properties && Object.hasOwn(properties, name) ? properties[name] : undefined
}

/** What `additionalProperties` says of properties that are not declared: their schema, `true` for any, undefined when there are none. */
export function additionalOf({ additionalProperties }: JsonSchema): JsonSchema | true | undefined {
  if (additionalProperties === undefined || additionalProperties === false || additionalProperties === null)
    return undefined
  return additionalProperties === true ? true : (additionalProperties as JsonSchema)
}

/** The schema of a list's items. */
export function itemsOf({ items }: JsonSchema): JsonSchema | undefined {
  return items && !Array.isArray(items) ? (items as JsonSchema) : undefined
}

/** The schema of what is behind a name: declared or additional. */
export function childOf(schema: JsonSchema, name: string): JsonSchema | undefined {
  const declared = propertyOf(schema, name)
  if (declared) return declared
  const additional = additionalOf(schema)
  return additional === true ? undefined : additional
}

/** Fields of the metadata that an embedded object has without declaring them. */
export const metaFields: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata'])

/** A value that is null although its schema does not allow that. */
export const isForbiddenNull = (value: unknown, schema: JsonSchema | undefined): boolean =>
  value === null && schema !== undefined && schema.nullable !== true

/** Sets a property whose name comes from outside: '__proto__' must not change what the object is. */
export function put(out: JsonObject, name: string, value: unknown): void {
  if (name === '__proto__')
    Object.defineProperty(out, name, { value, enumerable: true, writable: true, configurable: true })
  else out[name] = value
}
