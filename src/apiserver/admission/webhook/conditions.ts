import { Budget } from '../../../api/cel/frame.ts'
import type { Program } from '../../../api/cel/compile.ts'
import { CelSyntaxError } from '../../../api/cel/syntax.ts'
import { CelBudgetError, CelError } from '../../../api/cel/values.ts'
import type { MatchCondition } from '../../../api/generated/types/admissionregistration-v1.ts'
import type { Frozen } from '../../../api/resource.ts'
import { compileForRequests, type RequestValues, type Uses } from '../policy/request-language.ts'

/** What the conditions of one webhook or policy may cost. Upstream's figure. */
const costMax = 2_500_000

/** Conditions that are ready to be asked. */
export interface Conditions {
  /** The name of a condition that does not hold, or an error; undefined when all hold. */
  unmet(values: RequestValues): { readonly name: string; readonly error?: string } | undefined
}

/** Compiles conditions that a request must meet besides. */
export function compileConditions(conditions: readonly Frozen<MatchCondition>[], uses: Uses): Conditions {
  const programs = conditions.map(({ name, expression }) => ({ name, program: attempt(expression, uses) }))
  return {
    unmet(values) {
      const budget = new Budget(costMax)
      let failed: { name: string; error: string } | undefined
      for (const { name, program } of programs) {
        try {
          if (typeof program === 'string') throw new CelError(`compilation error: ${program}`)
          if (program.evaluate(values, budget) !== true) return { name }
        } catch (error) {
          if (!(error instanceof CelError) && !(error instanceof CelBudgetError)) throw error
          failed ??= { name, error: error.message }
        }
      }
      return failed
    },
  }
}

function attempt(expression: string, uses: Uses): Program | string {
  try {
    return compileForRequests(expression, uses)
  } catch (error) {
    if (error instanceof CelSyntaxError) return error.message
    throw error
  }
}
