import type { JsonSchema } from '../../api/crd-schema/json-schema.ts'
import type { Kind } from '../../api/kind.ts'

const schemas = new WeakMap<Kind, JsonSchema>()

/** The schema that a custom kind was declared with. */
export const declaredSchema = (kind: Kind): JsonSchema | undefined => schemas.get(kind)

/** Keeps it. */
export function declareSchema(kind: Kind, schema: JsonSchema | undefined): void {
  if (schema) schemas.set(kind, schema)
}
