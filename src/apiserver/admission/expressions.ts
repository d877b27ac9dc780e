import { useExpressionChecker } from '../../api/admissionregistration/expressions.ts'
import { useRuleChecker } from '../../api/apiextensions/rule-checker.ts'
import type { AdmissionPlugin } from './admission.ts'

let loading: Promise<void> | undefined
let loaded = false

/** Loads what compiles expressions: large, and most servers never see one. */
async function load(): Promise<void> {
  const [{ checkRules }, { expressionProblem }] = await Promise.all([
    import('../../api/crd-schema/check-rules.ts'),
    import('./policy/expression-problem.ts'),
  ])
  useRuleChecker(checkRules)
  useExpressionChecker(expressionProblem)
  loaded = true
}

/** Sees to it that expressions can be checked by the time that the first object with some is. */
export const expressionLoader: AdmissionPlugin = {
  name: 'ExpressionLoader',
  handles: (operation, { resource: { group } }) =>
    (operation === 'CREATE' || operation === 'UPDATE') &&
    (group === 'apiextensions.k8s.io' || group === 'admissionregistration.k8s.io' || group === 'resource.k8s.io'),
  admit: () => (loaded ? undefined : (loading ??= load())),
}
