import type { FieldErrors, FieldPath } from '../validation/field.ts'
import { isQualifiedName } from '../validation/names.ts'
import { isNegativeAmount, isWholeAmount, nanos, wholeUnits } from '../validation/quantities.ts'
import { negativeText } from '../validation/names.ts'

const containerResources = new Set(['cpu', 'memory', 'ephemeral-storage'])
const quotaResources = new Set([
  ...containerResources,
  ...[
    'requests.cpu',
    'requests.memory',
    'requests.storage',
    'requests.ephemeral-storage',
    'limits.cpu',
    'limits.memory',
    'limits.ephemeral-storage',
  ],
  ...[
    'pods',
    'resourcequotas',
    'services',
    'replicationcontrollers',
    'secrets',
    'persistentvolumeclaims',
    'configmaps',
    'services.nodeports',
    'services.loadbalancers',
  ],
])
const standardResources = new Set([...quotaResources, 'storage'])
const countedResources = new Set([
  'pods',
  'resourcequotas',
  'services',
  'replicationcontrollers',
  'secrets',
  'configmaps',
  'persistentvolumeclaims',
  'services.nodeports',
  'services.loadbalancers',
])

/** The rule for the name of a resource in some place. */
export type ResourceNameRule = (name: string, at: FieldPath, errors: FieldErrors) => void

/** Whether a resource is huge pages of some size. */
export const isHugePages = (name: string): boolean => name.startsWith('hugepages-')
const isQuotaHugePages = (name: string) => isHugePages(name) || name.startsWith('requests.hugepages-')
/** Names without a domain, or in upstream's own. */
export const isNative = (name: string): boolean => !name.includes('/') || name.includes('kubernetes.io/')
/** A device plugin's or an administrator's resource: counted in whole numbers. */
export const isExtended = (name: string): boolean =>
  !isNative(name) && !name.startsWith('requests.') && isQualifiedName(`requests.${name}`).length === 0
/** Requests may be lower than limits. */
export const overcommits = (name: string): boolean => isNative(name) && !isHugePages(name)
export const isQuotaResource = (name: string): boolean => quotaResources.has(name) || isQuotaHugePages(name)

/** Any resource's name. */
export const checkResourceName: ResourceNameRule = (name, at, errors) => {
  const wrong = isQualifiedName(name)
  for (const text of wrong) errors.invalid(at, name, text)
  if (!wrong.length && !name.includes('/') && !standardResources.has(name) && !isQuotaHugePages(name))
    errors.invalid(at, name, 'must be a standard resource type or fully qualified')
}

/** What a container may ask for. */
export const checkContainerResourceName: ResourceNameRule = (name, at, errors) => {
  if (containerResources.has(name)) return
  checkResourceName(name, at, errors)
  if (!name.includes('/')) {
    if (!isHugePages(name)) errors.invalid(at, name, 'must be a standard resource for containers')
  } else if (!isNative(name) && !isExtended(name))
    errors.invalid(at, name, "doesn't follow extended resource name standard")
}

/** What a Pod as a whole may ask for. */
export const checkPodResourceName: ResourceNameRule = (name, at, errors) => {
  const before = errors.list.length
  checkResourceName(name, at, errors)
  if (errors.list.length === before && !isPodLevel(name)) errors.notSupported(at, name, ['cpu', 'hugepages-', 'memory'])
}
/** Whether a resource can be asked for by a Pod as a whole. */
export const isPodLevel = (name: string): boolean => name === 'cpu' || name === 'memory' || isHugePages(name)

/** What a quota may limit. */
export const checkQuotaResourceName: ResourceNameRule = (name, at, errors) => {
  checkResourceName(name, at, errors)
  if (!name.includes('/') && !isQuotaResource(name)) errors.invalid(at, name, 'must be a standard resource for quota')
}

/** An amount: not negative, and whole where things are counted. */
export function checkAmount(name: string, amount: string, at: FieldPath, errors: FieldErrors): void {
  if (isNegativeAmount(amount)) errors.invalid(at, amount, negativeText)
  if (!containerResources.has(name) && (countedResources.has(name) || isExtended(name)) && !isWholeAmount(amount))
    errors.invalid(at, amount, 'must be an integer')
}

/** Whether an amount of huge pages is made of whole pages. */
export function isWholePages(name: string, amount: string): boolean {
  const page = name.slice('hugepages-'.length)
  return nanos(page) > 0n && isWholeAmount(page) && wholeUnits(amount) % wholeUnits(page) === 0n
}
