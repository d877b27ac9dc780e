import { checkDriverName } from '../core/pod-spec/volume-sources.ts'
import { checkNodeSelector } from '../core/pod-spec/affinity.ts'
import type {
  AllocatedDeviceStatus,
  AllocationResult,
  DeviceAllocationConfiguration,
  DeviceRequestAllocationResult,
  NetworkDeviceData,
  ResourceClaim,
  ResourceClaimConsumerReference,
  ResourceClaimStatus,
} from '../generated/types/resource-v1.ts'
import type { Frozen } from '../resource.ts'
import { checkImmutable, checkText } from '../validation/check.ts'
import { checkConditions } from '../validation/conditions.ts'
import { type FieldErrors, type FieldPath, field } from '../validation/field.ts'
import { ipText, parseCidr } from '../validation/ips.ts'
import { isLabel } from '../validation/names.ts'
import { RequestNames } from './claim-spec.ts'
import { checkConfiguration, checkRaw } from './device-config.ts'
import { checkPoolName, checkSet } from './device-names.ts'

const reservedMax = 256
const resultsMax = 32
const configMax = 64
const conditionsMax = 8
const dataMax = 10 * 1024
const addressesMax = 16
const interfaceMax = 256
const hardwareMax = 128

/** A device that somebody may have. */
type DeviceId = Pick<Frozen<AllocatedDeviceStatus>, 'driver' | 'pool' | 'device' | 'shareID'>

const keyOf = ({ driver, pool, device, shareID }: DeviceId): string =>
  [driver, pool, device, ...(shareID === undefined ? [] : [shareID])].join('/')
const allocatedIn = (status: Frozen<ResourceClaimStatus> | undefined): Set<string> =>
  new Set((status?.allocation?.devices?.results ?? []).map(keyOf))

/** Removes what belongs to features that are off by default, and what drivers reported of devices that were given back. */
export function dropFromStatus(
  status: ResourceClaimStatus | undefined,
  old: Frozen<ResourceClaimStatus> | undefined,
): void {
  if (!status) return
  for (const result of status.allocation?.devices?.results ?? []) {
    delete result.shareID
    delete result.consumedCapacity
    delete result.bindingConditions
    delete result.bindingFailureConditions
  }
  for (const device of status.devices ?? []) delete device.shareID
  const now = allocatedIn(status)
  const returned = new Set([...allocatedIn(old)].filter((key) => !now.has(key)))
  if (!status.devices) return
  const left = status.devices.filter((device) => !returned.has(keyOf(device)))
  if (left.length) status.devices = left
  else delete status.devices
}

/** The rules of a claim's new status. */
export function checkClaimStatus(
  { metadata, spec, status = {} }: Frozen<ResourceClaim>,
  old: Frozen<ResourceClaim>,
  errors: FieldErrors,
): void {
  const at = field('status')
  const { reservedFor, devices, allocation } = status
  checkSet(
    reservedFor,
    { at: at.child('reservedFor'), max: reservedMax, errors },
    ({ uid = '' }) => uid,
    (reference, path) => checkConsumer(reference, path, errors),
  )
  const allocated = allocatedIn(status)
  checkSet(devices, { at: at.child('devices'), max: -1, errors }, keyOf, (device, path) =>
    checkDevice(device, allocated, path, errors),
  )
  if (reservedFor?.length) {
    const before = new Set(old.status?.reservedFor?.map((reference) => JSON.stringify(reference)))
    if (!allocation) errors.forbidden(at.child('reservedFor'), 'may not be specified when `allocated` is not set')
    else if (metadata.deletionTimestamp && reservedFor.some((reference) => !before.has(JSON.stringify(reference)))) {
      errors.forbidden(
        at.child('reservedFor'),
        'new entries may not be added while `deallocationRequested` or `deletionTimestamp` are set',
      )
    }
  }
  if (allocation && old.status?.allocation)
    checkImmutable(allocation, old.status.allocation, at.child('allocation'), errors)
  else if (allocation) checkAllocation(allocation, new RequestNames(spec.devices), at.child('allocation'), errors)
}

function checkConsumer(reference: Frozen<ResourceClaimConsumerReference>, at: FieldPath, errors: FieldErrors): void {
  for (const name of ['resource', 'name', 'uid'] as const) if (!reference[name]) errors.required(at.child(name))
}

function checkDevice(
  device: Frozen<AllocatedDeviceStatus>,
  allocated: ReadonlySet<string>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  checkDriverName(device.driver, at.child('driver'), errors)
  checkPoolName(device.pool, at.child('pool'), errors)
  checkText(isLabel, device.device ?? '', at.child('device'), errors)
  if (!allocated.has(keyOf(device))) errors.invalid(at, keyOf(device), 'must be an allocated device in the claim')
  const count = device.conditions?.length ?? 0
  if (count > conditionsMax) errors.tooMany(at.child('conditions'), count, conditionsMax)
  checkConditions(device.conditions, at.child('conditions'), errors)
  if (device.data !== undefined) checkRaw(device.data, dataMax, at.child('data'), errors)
  if (device.networkData) checkNetwork(device.networkData, at.child('networkData'), errors)
}

function checkNetwork(
  { interfaceName = '', hardwareAddress = '', ips }: Frozen<NetworkDeviceData>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (interfaceName.length > interfaceMax) errors.tooLong(at.child('interfaceName'), interfaceMax)
  if (hardwareAddress.length > hardwareMax) errors.tooLong(at.child('hardwareAddress'), hardwareMax)
  checkSet(
    ips,
    { at: at.child('ips'), max: addressesMax, errors },
    (address) => address,
    (address, path) => {
      const parsed = parseCidr(address)
      if (!parsed)
        return errors.invalid(
          path,
          address,
          'must be a valid address in CIDR form, (e.g. 10.9.8.7/24 or 2001:db8::1/64)',
        )
      const canonical = `${ipText(parsed.ip.bytes)}/${parsed.bits}`
      if (address !== canonical) errors.invalid(path, address, `must be in canonical form ("${canonical}")`)
    },
  )
}

function checkAllocation(
  { devices, nodeSelector }: Frozen<AllocationResult>,
  names: RequestNames,
  at: FieldPath,
  errors: FieldErrors,
): void {
  const { results, config } = devices ?? {}
  const path = at.child('devices')
  if (results && results.length > resultsMax) errors.tooMany(path.child('results'), results.length, resultsMax)
  else results?.forEach((result, i) => checkResult(result, names, path.child('results').index(i), errors))
  if (config && config.length > configMax) errors.tooMany(path.child('config'), config.length, configMax)
  else config?.forEach((each, i) => checkConfig(each, names, path.child('config').index(i), errors))
  if (nodeSelector) checkNodeSelector(nodeSelector, at.child('nodeSelector'), errors)
}

function checkResult(
  { request, driver, pool, device }: Frozen<DeviceRequestAllocationResult>,
  names: RequestNames,
  at: FieldPath,
  errors: FieldErrors,
): void {
  names.check(request ?? '', at.child('request'), errors)
  checkDriverName(driver, at.child('driver'), errors)
  checkPoolName(pool, at.child('pool'), errors)
  checkText(isLabel, device ?? '', at.child('device'), errors)
}

function checkConfig(
  config: Frozen<DeviceAllocationConfiguration>,
  names: RequestNames,
  at: FieldPath,
  errors: FieldErrors,
): void {
  const sources = ['FromClaim', 'FromClass']
  if (!config.source) errors.required(at.child('source'))
  else if (!sources.includes(config.source)) errors.notSupported(at.child('source'), config.source, sources)
  checkSet(
    config.requests,
    { at: at.child('requests'), max: resultsMax, errors },
    (name) => name,
    (name, path) => names.check(name, path, errors),
  )
  checkConfiguration(config, at, errors)
}
