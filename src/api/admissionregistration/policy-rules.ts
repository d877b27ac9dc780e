import type {
  AuditAnnotation,
  ValidatingAdmissionPolicy,
  ValidatingAdmissionPolicyStatus,
  Validation,
  Variable,
} from '../generated/types/admissionregistration-v1.ts'
import type { Frozen } from '../resource.ts'
import { checkText } from '../validation/check.ts'
import { checkConditions } from '../validation/conditions.ts'
import { type FieldErrors, type FieldPath, field } from '../validation/field.ts'
import { isQualifiedName } from '../validation/names.ts'
import { checkExpression } from './expressions.ts'
import { checkMatchConditions } from './match-conditions.ts'
import { checkMatchResources, checkParamKind } from './match-resources.ts'

const failurePolicies = ['Fail', 'Ignore']
const reasons = ['Forbidden', 'Invalid', 'RequestEntityTooLarge']
const annotationsMax = 20
const valueBytesMax = 5 * 1024
const identifier = /^[_a-zA-Z][_a-zA-Z0-9]*$/
/** Words that the expression language keeps for itself. */
const reserved = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
)

/** What a policy's expressions may use. */
interface Scope {
  readonly params: boolean
  /** Variables that are declared already; absent where there are none at all. */
  readonly variables?: string[]
}

/** The rules of a policy. */
export function checkPolicy(
  { metadata, spec = {} }: Frozen<ValidatingAdmissionPolicy>,
  sameConditions: boolean,
  errors: FieldErrors,
): void {
  const at = field('spec')
  const params = !!spec.paramKind
  const scope: Scope = { params, ...(spec.variables?.length && { variables: [] }) }
  const { failurePolicy, matchConstraints, validations, auditAnnotations } = spec
  if (failurePolicy === undefined) errors.required(at.child('failurePolicy'))
  else if (!failurePolicies.includes(failurePolicy))
    errors.notSupported(at.child('failurePolicy'), failurePolicy, failurePolicies)
  if (spec.paramKind) checkParamKind(spec.paramKind, at.child('paramKind'), errors)
  if (!matchConstraints) errors.required(at.child('matchConstraints'))
  checkMatchResources(matchConstraints, at.child('matchConstraints'), errors)
  if (matchConstraints && !matchConstraints.resourceRules?.length)
    errors.required(at.child('matchConstraints', 'resourceRules'))
  if (!sameConditions)
    checkMatchConditions(
      spec.matchConditions,
      { params, authorizer: true, yields: 'bool' },
      at.child('matchConditions'),
      errors,
    )
  spec.variables?.forEach((variable, i) => checkVariable(variable, scope, at.child('variables').index(i), errors))
  if (!validations?.length && !auditAnnotations?.length) {
    for (const name of ['validations', 'auditAnnotations'])
      errors.required(at.child(name), 'validations or auditAnnotations must contain at least one item')
    return
  }
  validations?.forEach((validation, i) => checkValidation(validation, scope, at.child('validations').index(i), errors))
  if (auditAnnotations)
    checkAnnotations(auditAnnotations, { policy: metadata.name ?? '', scope }, at.child('auditAnnotations'), errors)
}

function checkVariable(
  { name = '', expression = '' }: Frozen<Variable>,
  scope: Scope,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (!name.trim()) errors.required(at.child('name'), 'name is not specified')
  else if (!identifier.test(name) || reserved.has(name))
    errors.invalid(at.child('name'), name, 'must be a valid CEL identifier')
  if (!expression.trim()) errors.required(at.child('expression'), 'expression is not specified')
  else checkExpression(expression, { ...scope, authorizer: true, yields: 'anything' }, at.child('expression'), errors)
  // Later expressions may name it even if it is wrong itself.
  if (expression.trim() && identifier.test(name)) scope.variables?.push(name)
}

function checkValidation(
  { expression = '', message = '', messageExpression = '', reason }: Frozen<Validation>,
  scope: Scope,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (!expression.trim()) errors.required(at.child('expression'), 'expression is not specified')
  else checkExpression(expression, { ...scope, authorizer: true, yields: 'bool' }, at.child('expression'), errors)
  if (messageExpression.trim())
    checkExpression(
      messageExpression,
      { ...scope, authorizer: false, yields: 'string' },
      at.child('messageExpression'),
      errors,
    )
  else if (messageExpression)
    errors.invalid(at.child('messageExpression'), messageExpression, 'must be non-empty if specified')
  if (message && !message.trim()) errors.invalid(at.child('message'), message, 'must be non-empty if specified')
  else if (/[\n\r]/.test(message.trim())) errors.invalid(at.child('message'), message, 'must not contain line breaks')
  if (reason !== undefined && !reasons.includes(reason)) errors.notSupported(at.child('reason'), reason, reasons)
}

function checkAnnotations(
  annotations: readonly Frozen<AuditAnnotation>[],
  { policy, scope }: { policy: string; scope: Scope },
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (annotations.length > annotationsMax)
    errors.invalid(at, annotations, `must not have more than ${annotationsMax} auditAnnotations`)
  const keys = new Set<string>()
  annotations.forEach(({ key = '', valueExpression = '' }, i) => {
    const path = at.index(i)
    if (policy) checkText(isQualifiedName, `${policy}/${key}`, path.child('key'), errors)
    else errors.invalid(path.child('key'), key, 'requires metadata.name be non-empty')
    const value = valueExpression.trim()
    if (!value) errors.required(path.child('valueExpression'), 'valueExpression is not specified')
    else if (Buffer.byteLength(value) > valueBytesMax)
      errors.required(path.child('valueExpression'), `must not exceed ${valueBytesMax} bytes in length`)
    else
      checkExpression(
        value,
        { ...scope, authorizer: true, yields: 'string or null' },
        path.child('valueExpression'),
        errors,
      )
    if (keys.has(key)) errors.duplicate(path.child('key'), key)
    keys.add(key)
  })
}

/** The rules of what the type checker reports. */
export function checkPolicyStatus(
  status: Frozen<ValidatingAdmissionPolicyStatus> | undefined,
  errors: FieldErrors,
): void {
  const at = field('status')
  status?.typeChecking?.expressionWarnings?.forEach(({ warning, fieldRef = '' }, i) => {
    const path = at.child('typeChecking', 'expressionWarnings').index(i)
    if (!warning) errors.required(path.child('warning'))
    if (!fieldRef.trim()) errors.required(path.child('fieldRef'))
  })
  checkConditions(status?.conditions, at.child('conditions'), errors)
}
