import type {
  ExpressionWarning,
  ValidatingAdmissionPolicySpec,
} from '../../../api/generated/types/admissionregistration-v1.ts'
import { dyn, type CelType } from '../../../api/cel/types.ts'
import type { Kind } from '../../../api/kind.ts'
import type { Frozen } from '../../../api/resource.ts'
import type { KindTable } from '../../../api/table.ts'
import { attempt, compileVariables } from './compiled-policy.ts'
import { kindType } from './kind-type.ts'
import type { Uses } from './request-language.ts'

/** More kinds than these are not looked at. */
const kindsMax = 10

type Spec = Frozen<ValidatingAdmissionPolicySpec>

/** What is wrong with a policy's expressions, seen with the types of the kinds that it names. */
export function typeWarnings(kinds: KindTable, spec: Spec): ExpressionWarning[] {
  const params = spec.paramKind !== undefined
  const paramsType = paramTypeOf(kinds, spec)
  const found = new Map<string, string[]>()
  for (const kind of namedKinds(kinds, spec)) {
    const { group, version, kind: name } = kind.resource
    const of = `${group ? `${group}/` : ''}${version}, Kind=${name}`
    const uses: Uses = { params, object: kindType(kind), paramsType }
    const { type, programs } = compileVariables(spec.variables ?? [], uses)
    const all = { ...uses, variables: type }
    const check = (fieldRef: string, expression: string | undefined, own: Uses = all) => {
      const problem = expression ? attempt(expression, own) : undefined
      if (typeof problem === 'string')
        found.set(fieldRef, [...(found.get(fieldRef) ?? []), `${of}: ${problem.replace(/^compilation failed: /, '')}`])
    }
    spec.matchConditions?.forEach(({ expression }, i) =>
      check(`spec.matchConditions[${i}].expression`, expression, uses),
    )
    spec.variables?.forEach(({ name: variable, expression }, i) => {
      if (typeof programs.get(variable) === 'string') check(`spec.variables[${i}].expression`, expression)
    })
    spec.validations?.forEach(({ expression, messageExpression }, i) => {
      check(`spec.validations[${i}].expression`, expression)
      check(`spec.validations[${i}].messageExpression`, messageExpression)
    })
    spec.auditAnnotations?.forEach(({ valueExpression }, i) =>
      check(`spec.auditAnnotations[${i}].valueExpression`, valueExpression),
    )
  }
  return [...found].map(([fieldRef, warnings]) => ({ fieldRef, warning: warnings.join('\n') }))
}

function paramTypeOf(kinds: KindTable, { paramKind }: Spec): CelType {
  if (!paramKind) return dyn
  const { apiVersion = '', kind = '' } = paramKind
  const [group, version] = apiVersion.includes('/') ? (apiVersion.split('/') as [string, string]) : ['', apiVersion]
  const found = kinds.byKind(group, version, kind)
  return found ? kindType(found) : dyn
}

/** The kinds that the policy's rules name one by one. */
function namedKinds(kinds: KindTable, { matchConstraints }: Spec): Kind[] {
  const out = new Set<Kind>()
  for (const { apiGroups = [], apiVersions = [], resources = [] } of matchConstraints?.resourceRules ?? []) {
    for (const group of apiGroups)
      for (const version of apiVersions)
        for (const resource of resources) {
          const kind = [group, version, resource].some((each) => each.includes('*'))
            ? undefined
            : kinds.byResource(group, version, resource)
          if (kind && out.size < kindsMax) out.add(kind)
        }
  }
  return [...out]
}
