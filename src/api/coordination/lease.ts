import type { Thawed } from '../draft.ts'
import { leases } from '../generated/resources.ts'
import type { Lease } from '../generated/types/coordination-v1.ts'
import { defineKind } from '../kind.ts'
import type { Frozen } from '../resource.ts'
import { checkText } from '../validation/check.ts'
import { type FieldErrors, field } from '../validation/field.ts'
import { isQualifiedName } from '../validation/names.ts'
import { leaseRow } from './lease-row.ts'

const strategies = ['OldestEmulationVersion']

/** What a Lease does. */
export const leaseDefinition = defineKind(leases, {
  row: leaseRow,
  generation: false,
  createOnUpdate: true,
  unconditionalUpdate: false,
  metadata: { finalizers: 'any' },
  prepareCreate: (lease) => dropCoordination(lease, undefined),
  prepareUpdate: (lease, old) => dropCoordination(lease, old),
  validate: checkLease,
  validateUpdate: (lease, _old, errors) => checkLease(lease, errors),
})

/** Coordinated leader election is off by default. */
function dropCoordination({ spec }: Thawed<Lease>, old: Frozen<Lease> | undefined): void {
  if (!spec) return
  if (old?.spec?.strategy === undefined) delete spec.strategy
  if (old?.spec?.preferredHolder === undefined) delete spec.preferredHolder
}

function checkLease({ spec = {} }: Frozen<Lease>, errors: FieldErrors): void {
  const at = field('spec')
  const { leaseDurationSeconds: seconds, leaseTransitions: transitions, strategy, preferredHolder } = spec
  if (seconds !== undefined && seconds <= 0)
    errors.invalid(at.child('leaseDurationSeconds'), seconds, 'must be greater than 0')
  if (transitions !== undefined && transitions < 0)
    errors.invalid(at.child('leaseTransitions'), transitions, 'must be greater than or equal to 0')
  if (strategy !== undefined) {
    const path = at.child('strategy', 'strategy')
    if (strategy.includes('/')) checkText(isQualifiedName, strategy, path, errors)
    else if (!strategies.includes(strategy)) errors.notSupported(path, strategy, strategies)
  }
  if (preferredHolder && !strategy)
    errors.forbidden(at.child('preferredHolder'), 'may only be specified if `strategy` is defined')
}
