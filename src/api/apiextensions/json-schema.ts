import type { JSONSchemaProps } from '../generated/types/apiextensions-v1.ts'
import type { Frozen } from '../resource.ts'

/** A schema in a definition of a custom kind. */
export type JsonSchema = Frozen<JSONSchemaProps>

/** The schema of a list's items; upstream allows no list of schemas. */
export const itemsOf = (schema: JsonSchema): JsonSchema | undefined => (Array.isArray(schema.items) ? undefined : (schema.items as JsonSchema | undefined))

/** The schema of what else is in an object. */
export const additionalOf = (schema: JsonSchema): JsonSchema | undefined => (typeof schema.additionalProperties === 'object' && schema.additionalProperties !== null ? (schema.additionalProperties as JsonSchema) : undefined)

/** Whether an object may have fields that its schema does not name. */
export const allowsAdditional = (schema: JsonSchema): boolean => schema.additionalProperties !== undefined && schema.additionalProperties !== null && schema.additionalProperties !== false

/** Every schema in a schema, itself first. */
export function* schemasIn(schema: JsonSchema | undefined): Generator<JsonSchema> {
  if (!schema) return
  yield schema
  if (Array.isArray(schema.items)) for (const item of schema.items as readonly JsonSchema[]) yield* schemasIn(item)
  else yield* schemasIn(itemsOf(schema))
  for (const list of [schema.allOf, schema.anyOf, schema.oneOf]) for (const inner of list ?? []) yield* schemasIn(inner)
  yield* schemasIn(schema.not)
  for (const map of [schema.properties, schema.patternProperties, schema.definitions]) for (const inner of Object.values(map ?? {})) yield* schemasIn(inner)
  yield* schemasIn(additionalOf(schema))
}

/** Whether a value was given: null counts as none. */
export const present = <T>(value: T): value is NonNullable<T> => value !== undefined && value !== null
