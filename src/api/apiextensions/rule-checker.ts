import type { JsonSchema } from '../crd-schema/json-schema.ts'
import type { FieldErrors, FieldPath } from '../validation/field.ts'

/** Finds what is wrong with the expressions of a schema. */
export type RuleChecker = (schema: JsonSchema, at: FieldPath, errors: FieldErrors, unchanged: boolean) => void

let checker: RuleChecker | undefined

/** Rules are checked as soon as there is something that can compile them. */
export function useRuleChecker(check: RuleChecker): void {
  checker = check
}

/** Says what is wrong with a schema's rules; `unchanged`: the definition had the very same schema before. */
export function checkRuleExpressions(schema: JsonSchema, at: FieldPath, errors: FieldErrors, unchanged: boolean): void {
  checker?.(schema, at, errors, unchanged)
}
