import { checkNodeSelector } from '../core/pod-spec/affinity.ts'
import { checkDriverName } from '../core/pod-spec/volume-sources.ts'
import type { Device, DeviceAttribute, ResourcePool, ResourceSliceSpec } from '../generated/types/resource-v1.ts'
import type { Frozen } from '../resource.ts'
import { checkImmutable, checkText } from '../validation/check.ts'
import { type FieldErrors, type FieldPath, field } from '../validation/field.ts'
import { isLabel, isSubdomain } from '../validation/names.ts'
import { checkAttributeName, checkPoolName, checkSet, shortKey } from './device-names.ts'

const devicesMax = 128
const partsMax = 32
const valueMax = 64
const keyMax = 63 + 1 + 32
const semantic =
  /^(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)(-(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(\.(0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*)?(\+[0-9a-zA-Z-]+(\.[0-9a-zA-Z-]+)*)?$/
const whereText = 'exactly one of `nodeName`, `nodeSelector`, `allNodes`, `perDeviceNodeSelection` is required'

/** The rules of a slice; `old` is what it replaces. */
export function checkSlice(
  spec: Frozen<ResourceSliceSpec> | undefined,
  old: Frozen<ResourceSliceSpec> | undefined,
  errors: FieldErrors,
): void {
  const at = field('spec')
  checkDriverName(spec?.driver, at.child('driver'), errors)
  checkPool(spec?.pool, at.child('pool'), errors)
  if (old) {
    checkImmutable(spec?.pool?.name, old.pool?.name, at.child('pool', 'name'), errors)
    checkImmutable(spec?.driver, old.driver, at.child('driver'), errors)
    checkImmutable(spec?.nodeName, old.nodeName, at.child('nodeName'), errors)
  }
  if (spec) checkPlace(spec, at, errors)
  else errors.required(at, whereText)
  checkSet(
    spec?.devices,
    { at: at.child('devices'), max: devicesMax, errors },
    ({ name = '' }) => name,
    (device, path) => checkDevice(device, path, errors),
  )
}

function checkPool(pool: Frozen<ResourcePool> | undefined, at: FieldPath, errors: FieldErrors): void {
  const { name, resourceSliceCount: count = 0, generation = 0 } = pool ?? {}
  checkPoolName(name, at.child('name'), errors)
  if (count <= 0) errors.invalid(at.child('resourceSliceCount'), count, 'must be greater than zero')
  if (generation < 0) errors.invalid(at.child('generation'), generation, 'must be greater than or equal to zero')
}

/** On which nodes the devices are. */
function checkPlace(
  { nodeName, nodeSelector, allNodes }: Frozen<ResourceSliceSpec>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  const given: string[] = []
  if (nodeName) {
    given.push('`nodeName`')
    checkText(isSubdomain, nodeName, at.child('nodeName'), errors)
  } else if (nodeName !== undefined)
    errors.invalid(at.child('nodeName'), nodeName, 'must be either unset or set to a non-empty string')
  if (nodeSelector) {
    given.push('`nodeSelector`')
    checkNodeSelector(nodeSelector, at.child('nodeSelector'), errors)
    const terms = nodeSelector.nodeSelectorTerms ?? []
    if (terms.length !== 1)
      errors.invalid(at.child('nodeSelector', 'nodeSelectorTerms'), terms, 'must have exactly one node selector term')
  }
  if (allNodes) given.push('`allNodes`')
  else if (allNodes !== undefined) errors.invalid(at.child('allNodes'), allNodes, 'must be either unset or set to true')
  if (given.length === 0) errors.required(at, whereText)
  else if (given.length > 1) errors.invalid(at, `{${given.join(', ')}}`, `${whereText}, but multiple fields are set`)
}

function checkDevice(
  { name = '', attributes = {}, capacity = {} }: Frozen<Device>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  checkText(isLabel, name, at.child('name'), errors)
  const [attributeNames, capacityNames] = [Object.keys(attributes), Object.keys(capacity)]
  const count = attributeNames.length + capacityNames.length
  if (count > partsMax)
    errors.invalid(at, count, `the total number of attributes and capacities must not exceed ${partsMax}`)
  for (const key of attributeNames) {
    const path = at.child('attributes').key(shortKey(key, keyMax))
    checkAttributeName(key, path, errors)
    checkAttribute(attributes[key] ?? {}, path, errors)
  }
  for (const key of capacityNames) checkAttributeName(key, at.child('capacity').key(shortKey(key, keyMax)), errors)
}

function checkAttribute(attribute: Frozen<DeviceAttribute>, at: FieldPath, errors: FieldErrors): void {
  const { string: text, version } = attribute
  if (text !== undefined && Buffer.byteLength(text) > valueMax) errors.tooLong(at.child('string'), valueMax)
  if (version !== undefined && !semantic.test(version))
    errors.invalid(at.child('version'), version, 'must be a string compatible with semver.org spec 2.0.0')
  if (version !== undefined && version.length > valueMax) errors.tooLong(at.child('version'), valueMax)
  const values = [attribute.bool, attribute.int, text, version].filter((value) => value !== undefined && value !== null)
  if (values.length !== 1) errors.invalid(at, values.length ? attribute : '', 'exactly one value must be specified')
}
