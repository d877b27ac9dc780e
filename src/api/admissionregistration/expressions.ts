import type { FieldErrors, FieldPath } from '../validation/field.ts'

/** What an expression may use and what it must yield. */
export interface Expected {
  readonly params: boolean
  readonly authorizer: boolean
  readonly yields: 'bool' | 'string' | 'string or null' | 'anything'
  /** Names of the variables that were declared before it. */
  readonly variables?: readonly string[] | undefined
  /** It is about a device, not about a request. */
  readonly device?: boolean
}

/** Finds what is wrong with an expression: the texts that follow "compilation failed: ". */
export type ExpressionChecker = (expression: string, expected: Expected) => string | undefined

let checker: ExpressionChecker | undefined

/** Expressions are checked as soon as there is something that can compile them. */
export function useExpressionChecker(check: ExpressionChecker): void {
  checker = check
}

/** Says what is wrong with an expression. */
export function checkExpression(expression: string, expected: Expected, at: FieldPath, errors: FieldErrors): void {
  const problem = checker?.(expression, expected)
  if (problem) errors.invalid(at, expression, problem)
}
