import { ensure } from '../draft.ts'
import { csiDrivers } from '../generated/resources.ts'
import type { CSIDriver, TokenRequest } from '../generated/types/storage-v1.ts'
import { defineKind } from '../kind.ts'
import type { Frozen } from '../resource.ts'
import { checkImmutable } from '../validation/check.ts'
import { equal } from '../validation/equal.ts'
import { type FieldErrors, type FieldPath, field } from '../validation/field.ts'
import { csiDriverRow } from './csidriver-row.ts'

const groupPolicies = ['File', 'None', 'ReadWriteOnceWithFSType']
const lifecycles = ['Persistent', 'Ephemeral']
const updatePeriodMin = 10
const expirationMin = 600
const expirationMax = 2 ** 32
const tokensWarning =
  'spec.serviceAccountTokenInSecrets is unset; if supported by this CSI driver, set to true to prevent possible logging of tokens in volume attributes'

/** What a CSIDriver does. Upstream counts its generations only from the first change on. */
export const csiDriverDefinition = defineKind(csiDrivers, {
  row: csiDriverRow,
  generation: false,
  unconditionalUpdate: false,
  defaults(driver) {
    const spec = ensure(driver, 'spec')
    spec.attachRequired ??= true
    spec.podInfoOnMount ??= false
    spec.storageCapacity ??= false
    spec.fsGroupPolicy ??= 'ReadWriteOnceWithFSType'
    if (!spec.volumeLifecycleModes?.length) spec.volumeLifecycleModes = ['Persistent']
    spec.requiresRepublish ??= false
    spec.seLinuxMount ??= false
  },
  prepareUpdate(driver, old) {
    if (!equal(driver.spec, old.spec)) driver.metadata.generation = (old.metadata.generation ?? 0) + 1
  },
  validate: checkDriver,
  validateUpdate(driver, old, errors) {
    checkDriver(driver, errors)
    checkImmutable(driver.spec.attachRequired, old.spec.attachRequired, field('spec', 'attachedRequired'), errors)
    checkImmutable(
      driver.spec.volumeLifecycleModes,
      old.spec.volumeLifecycleModes,
      field('spec', 'volumeLifecycleModes'),
      errors,
    )
  },
  warnings({ spec }, old) {
    const asks = spec.tokenRequests?.length && spec.serviceAccountTokenInSecrets === undefined
    return asks && !(old && equal(old.spec.tokenRequests, spec.tokenRequests)) ? [tokensWarning] : []
  },
})

function checkDriver({ spec }: Frozen<CSIDriver>, errors: FieldErrors): void {
  const at = field('spec')
  const {
    fsGroupPolicy: policy,
    tokenRequests,
    volumeLifecycleModes: modes,
    nodeAllocatableUpdatePeriodSeconds: period,
  } = spec
  if (policy !== undefined && !groupPolicies.includes(policy))
    errors.notSupported(at.child('fsGroupPolicy'), policy, groupPolicies)
  if (tokenRequests) checkTokens(tokenRequests, at.child('tokenRequests'), errors)
  for (const mode of modes ?? [])
    if (!lifecycles.includes(mode)) errors.notSupported(at.child('volumeLifecycleModes'), mode, lifecycles)
  if (period !== undefined && period < updatePeriodMin)
    errors.invalid(
      at.child('nodeAllocatableUpdatePeriodSeconds'),
      period,
      'must be greater than or equal to 10 seconds',
    )
  if (spec.serviceAccountTokenInSecrets !== undefined && !tokenRequests?.length) {
    errors.invalid(
      at.child('serviceAccountTokenInSecrets'),
      spec.serviceAccountTokenInSecrets,
      'serviceAccountTokenInSecrets is set but no tokenRequests are specified',
    )
  }
}

function checkTokens(requests: readonly Frozen<TokenRequest>[], at: FieldPath, errors: FieldErrors): void {
  const audiences = new Set<string>()
  requests.forEach(({ audience = '', expirationSeconds: seconds }, i) => {
    if (audiences.has(audience)) return errors.duplicate(at.index(i).child('audience'), audience)
    audiences.add(audience)
    if (seconds === undefined) return
    if (seconds < expirationMin)
      errors.invalid(at.index(i).child('expirationSeconds'), seconds, 'may not specify a duration less than 10 minutes')
    if (seconds > expirationMax)
      errors.invalid(
        at.index(i).child('expirationSeconds'),
        seconds,
        'may not specify a duration larger than 2^32 seconds',
      )
  })
}
