import type {
  ExemptPriorityLevelConfiguration,
  LimitedPriorityLevelConfiguration,
  LimitResponse,
  PriorityLevelConfiguration,
  PriorityLevelConfigurationSpec,
  QueuingConfiguration,
} from '../generated/types/flowcontrol-v1.ts'
import type { Frozen } from '../resource.ts'
import { equal } from '../validation/equal.ts'
import { type FieldErrors, type FieldPath, field } from '../validation/field.ts'
import { checkFlowConditions } from './conditions.ts'
import { mandatoryLevels } from './mandatory.ts'

const zeroSharesAnnotation = 'flowcontrol.k8s.io/preserve-zero-concurrency-shares'
const types = ['Exempt', 'Limited']
const responses = ['Queue', 'Reject']
const queuesMax = 10_000_000
const hashBitsMax = 60

/** The rules of a priority level. */
export function checkPriorityLevel(
  { metadata, spec, status }: Frozen<PriorityLevelConfiguration>,
  errors: FieldErrors,
): void {
  const { name = '', annotations } = metadata
  if (annotations?.[zeroSharesAnnotation] !== undefined)
    errors.forbidden(field('metadata', 'annotations'), `annotation '${zeroSharesAnnotation}' is forbidden`)
  const at = field('spec')
  checkSpec(spec ?? { type: '' }, name, at, errors)
  const fixed = mandatoryLevels.get(name)
  if (fixed && name === 'exempt') {
    if (!equal({ ...spec, exempt: fixed.exempt }, fixed))
      errors.invalid(at, spec, `spec of '${name}' except the 'spec.exempt' field must equal the fixed value`)
  } else if (fixed && !equal(spec, fixed)) errors.invalid(at, spec, `spec of '${name}' must equal the fixed value`)
  checkFlowConditions(status?.conditions, errors)
}

function checkSpec(
  { type = '', exempt, limited }: Frozen<PriorityLevelConfigurationSpec>,
  name: string,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if ((name === 'exempt') !== (type === 'Exempt'))
    errors.invalid(at.child('type'), type, "must be 'Exempt' if and only if `name` is 'exempt'")
  if (type === 'Exempt') {
    if (limited) errors.forbidden(at.child('limited'), 'must be nil if the type is not Limited')
    if (exempt) checkShares(exempt, at.child('exempt'), errors)
  } else if (type === 'Limited') {
    if (exempt) errors.forbidden(at.child('exempt'), 'must be nil if the type is Limited')
    if (limited) checkLimited(limited, at.child('limited'), errors)
    else errors.required(at.child('limited'), 'must not be empty when type is Limited')
  } else errors.notSupported(at.child('type'), type, types)
}

function checkShares(
  {
    nominalConcurrencyShares: shares = 0,
    lendablePercent: lendable = 0,
  }: Frozen<ExemptPriorityLevelConfiguration | LimitedPriorityLevelConfiguration>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (shares < 0) errors.invalid(at.child('nominalConcurrencyShares'), shares, 'must be a non-negative integer')
  if (lendable < 0 || lendable > 100)
    errors.invalid(at.child('lendablePercent'), lendable, 'must be between 0 and 100, inclusive')
}

function checkLimited(limited: Frozen<LimitedPriorityLevelConfiguration>, at: FieldPath, errors: FieldErrors): void {
  checkShares(limited, at, errors)
  checkResponse(limited.limitResponse ?? { type: '' }, at.child('limitResponse'), errors)
  const borrowed = limited.borrowingLimitPercent ?? 0
  if (borrowed < 0)
    errors.invalid(at.child('borrowingLimitPercent'), borrowed, 'if specified, must be a non-negative integer')
}

function checkResponse({ type = '', queuing }: Frozen<LimitResponse>, at: FieldPath, errors: FieldErrors): void {
  const path = at.child('queuing')
  if (!responses.includes(type)) errors.notSupported(at.child('type'), type, responses)
  else if (type === 'Reject') {
    if (queuing) errors.forbidden(path, 'must be nil if limited.limitResponse.type is not Limited')
  } else if (queuing) checkQueuing(queuing, path, errors)
  else errors.required(path, 'must not be empty if limited.limitResponse.type is Limited')
}

function checkQueuing(
  { queueLengthLimit = 0, queues = 0, handSize = 0 }: Frozen<QueuingConfiguration>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (queueLengthLimit <= 0) errors.invalid(at.child('queueLengthLimit'), queueLengthLimit, 'must be positive')
  if (queues <= 0) errors.invalid(at.child('queues'), queues, 'must be positive')
  else if (queues > queuesMax) errors.invalid(at.child('queues'), queues, `must not be greater than ${queuesMax}`)
  const path = at.child('handSize')
  if (handSize <= 0) errors.invalid(path, handSize, 'must be positive')
  else if (handSize > queues) errors.invalid(path, handSize, `should not be greater than queues (${queues})`)
  else if (Math.ceil(Math.log2(queues) * handSize) > hashBitsMax) {
    errors.invalid(
      path,
      handSize,
      `required entropy bits of deckSize ${queues} and handSize ${handSize} should not be greater than ${hashBitsMax}`,
    )
  }
}
