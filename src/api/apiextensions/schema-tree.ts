import { additionalOf, itemsOf, type JsonSchema } from '../crd-schema/json-schema.ts'

/** The schema of what else is in an object, where there is one. */
export function additionalSchemaOf(schema: JsonSchema): JsonSchema | undefined {
  const additional = additionalOf(schema)
  return additional === true ? undefined : additional
}

/** Whether an object may have fields that its schema does not name. */
export const allowsAdditional = (schema: JsonSchema): boolean => additionalOf(schema) !== undefined

/** Every schema in a schema, itself first. */
export function* schemasIn(schema: JsonSchema | undefined): Generator<JsonSchema> {
  if (!schema) return
  yield schema
  if (Array.isArray(schema.items)) for (const item of schema.items as readonly JsonSchema[]) yield* schemasIn(item)
  else yield* schemasIn(itemsOf(schema))
  for (const list of [schema.allOf, schema.anyOf, schema.oneOf]) for (const inner of list ?? []) yield* schemasIn(inner)
  yield* schemasIn(schema.not)
  for (const map of [schema.properties, schema.patternProperties, schema.definitions])
    for (const inner of Object.values(map ?? {})) yield* schemasIn(inner)
  yield* schemasIn(additionalSchemaOf(schema))
}

/** Whether a value was given: null counts as none. */
export const present = <T>(value: T): value is NonNullable<T> => value !== undefined && value !== null
