import type {
  DeviceClaim,
  DeviceClaimConfiguration,
  DeviceConstraint,
  DeviceRequest,
  DeviceSubRequest,
  ExactDeviceRequest,
  ResourceClaimSpec,
} from '../generated/types/resource-v1.ts'
import type { Frozen } from '../resource.ts'
import { checkRequiredText, checkText } from '../validation/check.ts'
import type { FieldErrors, FieldPath } from '../validation/field.ts'
import { isLabel, isSubdomain } from '../validation/names.ts'
import { checkConfiguration, checkSelectors } from './device-config.ts'
import { checkFullAttributeName, checkSet } from './device-names.ts'

const requestsMax = 32
const constraintsMax = 32
const configMax = 32
const alternativesMax = 8
const modes = ['All', 'ExactCount']
const oneOfText = 'exactly one of `exactly` or `firstAvailable` is required'

type Request = ExactDeviceRequest | DeviceSubRequest

function* requestsIn({ devices }: ResourceClaimSpec): Generator<Request> {
  for (const { exactly, firstAvailable } of devices?.requests ?? []) {
    if (exactly) yield exactly
    yield* firstAvailable ?? []
  }
}

/** Fills in what the author left out. */
export function defaultClaim(spec: ResourceClaimSpec): void {
  for (const request of requestsIn(spec)) {
    request.allocationMode ||= 'ExactCount'
    if (request.allocationMode === 'ExactCount') request.count ||= 1
  }
}

/** Removes what belongs to features that are off by default, unless the old claim has it already. */
export function dropDisabledRequests(spec: ResourceClaimSpec | undefined, old?: Frozen<ResourceClaimSpec>): void {
  if (!spec) return
  const before = old ? [...requestsIn(old as ResourceClaimSpec)] : []
  const consumes =
    before.some(({ capacity }) => capacity) ||
    !!old?.devices?.constraints?.some(({ distinctAttribute }) => distinctAttribute !== undefined)
  const tolerates = before.some(({ tolerations }) => tolerations?.length)
  for (const request of requestsIn(spec)) {
    if (!tolerates) delete request.tolerations
    if (!consumes) delete request.capacity
  }
  if (!consumes) for (const constraint of spec.devices?.constraints ?? []) delete constraint.distinctAttribute
}

/** The names by which a claim's requests are known: of each also those of its alternatives. */
export class RequestNames {
  readonly #names = new Map<string, Set<string>>()

  constructor(claim: Frozen<DeviceClaim> | undefined) {
    for (const { name, firstAvailable } of claim?.requests ?? [])
      this.#names.set(name, new Set(firstAvailable?.map((alternative) => alternative.name)))
  }

  /** Says what is wrong with a reference to a request: `name` or `name/alternative`. */
  check(reference: string, at: FieldPath, errors: FieldErrors): void {
    const text = "must be the name of a request in the claim or the name of a request and a subrequest separated by '/'"
    const parts = reference.split('/')
    if (parts.length > 2) return errors.invalid(at, reference, text)
    for (const part of parts) checkText(isLabel, part, at, errors)
    const [name = '', alternative] = parts
    const known = this.#names.get(name)
    if (!known || (alternative !== undefined && !known.has(alternative))) errors.invalid(at, reference, text)
  }
}

/** The rules of what a claim asks for. */
export function checkClaimSpec(
  spec: Frozen<ResourceClaimSpec> | undefined,
  specAt: FieldPath,
  errors: FieldErrors,
): void {
  const claim = spec?.devices
  const at = specAt.child('devices')
  const names = new RequestNames(claim)
  checkSet(
    claim?.requests,
    { at: at.child('requests'), max: requestsMax, errors },
    ({ name = '' }) => name,
    (request, path) => checkRequest(request, path, errors),
  )
  const { constraints, config } = claim ?? {}
  if (constraints && constraints.length > constraintsMax)
    errors.tooMany(at.child('constraints'), constraints.length, constraintsMax)
  else
    constraints?.forEach((constraint, i) =>
      checkConstraint(constraint, names, at.child('constraints').index(i), errors),
    )
  if (config && config.length > configMax) errors.tooMany(at.child('config'), config.length, configMax)
  else config?.forEach((each, i) => checkConfig(each, names, at.child('config').index(i), errors))
}

function checkRequest(
  { name = '', exactly, firstAvailable }: Frozen<DeviceRequest>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  checkText(isLabel, name, at.child('name'), errors)
  const alternatives = firstAvailable?.length ? firstAvailable : undefined
  if (!exactly && !alternatives) errors.required(at, oneOfText)
  else if (exactly && alternatives) errors.invalid(at, null, `${oneOfText}, but multiple fields are set`)
  else if (exactly) checkExact(exactly, at.child('exactly'), errors)
  else {
    checkSet(
      alternatives,
      { at: at.child('firstAvailable'), max: alternativesMax, errors },
      (alternative) => alternative.name ?? '',
      (alternative, path) => {
        checkText(isLabel, alternative.name ?? '', path.child('name'), errors)
        checkExact(alternative, path, errors)
      },
    )
  }
}

function checkExact(
  { deviceClassName, selectors, allocationMode: mode = '', count = 0 }: Frozen<Request>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  checkRequiredText(isSubdomain, deviceClassName, at.child('deviceClassName'), errors)
  checkSelectors(selectors, at.child('selectors'), errors)
  if (!modes.includes(mode)) errors.notSupported(at.child('allocationMode'), mode, modes)
  else if (mode === 'All' && count !== 0)
    errors.invalid(at.child('count'), count, "must not be specified when allocationMode is 'All'")
  else if (mode === 'ExactCount' && count <= 0) errors.invalid(at.child('count'), count, 'must be greater than zero')
}

function checkNames(
  requests: readonly string[] | undefined,
  names: RequestNames,
  at: FieldPath,
  errors: FieldErrors,
): void {
  checkSet(
    requests,
    { at: at.child('requests'), max: requestsMax, errors },
    (name) => name,
    (name, path) => names.check(name, path, errors),
  )
}

function checkConstraint(
  { requests, matchAttribute, distinctAttribute }: Frozen<DeviceConstraint>,
  names: RequestNames,
  at: FieldPath,
  errors: FieldErrors,
): void {
  checkNames(requests, names, at, errors)
  if (matchAttribute !== undefined) checkFullAttributeName(matchAttribute, at.child('matchAttribute'), errors)
  else if (distinctAttribute !== undefined)
    checkFullAttributeName(distinctAttribute, at.child('distinctAttribute'), errors)
  else errors.required(at.child('matchAttribute'))
}

function checkConfig(
  config: Frozen<DeviceClaimConfiguration>,
  names: RequestNames,
  at: FieldPath,
  errors: FieldErrors,
): void {
  checkNames(config.requests, names, at, errors)
  checkConfiguration(config, at, errors)
}
