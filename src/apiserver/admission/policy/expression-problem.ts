import type { Expected } from '../../../api/admissionregistration/expressions.ts'
import { CelSyntaxError } from '../../../api/cel/syntax.ts'
import { dyn, objectOf } from '../../../api/cel/types.ts'
import { compileForDevices } from '../../../api/resource/device-expression.ts'
import { compileForRequests } from './request-language.ts'

const accepted: Readonly<Record<Expected['yields'], readonly string[]>> = {
  bool: ['bool', 'dyn'],
  string: ['string', 'dyn'],
  'string or null': ['string', 'null', 'dyn'],
  anything: [],
}

/** What is wrong with an expression of a policy, of a webhook's condition or of a selector of devices. */
export function expressionProblem(
  expression: string,
  { params, authorizer, yields, variables, device }: Expected,
): string | undefined {
  try {
    const { type } = device
      ? compileForDevices(expression)
      : compileForRequests(expression, {
          params,
          authorizer,
          variables:
            variables && objectOf('kubernetes.variables', Object.fromEntries(variables.map((name) => [name, dyn]))),
        })
    const kinds = accepted[yields]
    return kinds.length === 0 || kinds.includes(type.kind) ? undefined : `must evaluate to ${yields}`
  } catch (error) {
    if (error instanceof CelSyntaxError) return `compilation failed: ${error.message}`
    throw error
  }
}
