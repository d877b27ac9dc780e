import type { PodSpec, ResourceRequirements } from '../../generated/types/core-v1.ts'
import type { Frozen } from '../../resource.ts'
import type { FieldErrors, FieldPath } from '../../validation/field.ts'
import { isLabel } from '../../validation/names.ts'
import { compareAmounts } from '../../validation/quantities.ts'
import {
  checkAmount,
  checkContainerResourceName,
  checkPodResourceName,
  isHugePages,
  isWholePages,
  overcommits,
  type ResourceNameRule,
} from '../resource-names.ts'
import { containerAmounts, listOf } from './resource-sums.ts'
import type { PodRules } from './rules.ts'

/** What requests and limits are checked against. */
export interface ResourceRules {
  readonly nameRule: ResourceNameRule
  /** Names of the Pod's resource claims. */
  readonly claims: ReadonlySet<string>
  readonly partialHugePages?: boolean | undefined
}

const none: ReadonlySet<string> = new Set()

/** What a runtime class adds to a Pod's containers. */
export function checkOverhead(
  overhead: Readonly<Record<string, string>>,
  at: FieldPath,
  errors: FieldErrors,
  partialHugePages?: boolean,
): void {
  checkRequirements(
    { limits: overhead },
    { nameRule: checkContainerResourceName, claims: none, partialHugePages },
    at,
    errors,
  )
}

/** Requests and limits anywhere. */
export function checkRequirements(
  resources: Frozen<ResourceRequirements>,
  rules: ResourceRules,
  at: FieldPath,
  errors: FieldErrors,
): void {
  const { limits, requests, claims } = resources
  let computes = false
  let pages = false
  const checkEach = (name: string, amount: string, part: string) => {
    const before = errors.list.length
    // The usual names need no path.
    if (name !== 'cpu' && name !== 'memory') {
      rules.nameRule(name, at.child(part).key(name), errors)
      if (isHugePages(name)) pages = true
    } else computes = true
    checkAmount(name, amount, at.child(part).key(name), errors)
    if (isHugePages(name) && !rules.partialHugePages && !isWholePages(name, amount))
      errors.invalid(at.child(part).key(name), amount, `${amount} is not positive integer multiple of ${name}`)
    return errors.list.length === before
  }
  if (limits) for (const name in limits) checkEach(name, limits[name] ?? '0', 'limits')
  if (requests) {
    for (const name in requests) {
      const amount = requests[name] ?? '0'
      checkEach(name, amount, 'requests')
      const limit = limits?.[name]
      if (limit === undefined) {
        if (!overcommits(name))
          errors.required(at.child('limits'), 'Limit must be set for non overcommitable resources')
        continue
      }
      const order = compareAmounts(amount, limit)
      if (order !== 0 && !overcommits(name))
        errors.invalid(at.child('requests'), amount, `must be equal to ${name} limit of ${limit}`)
      else if (order > 0)
        errors.invalid(at.child('requests'), amount, `must be less than or equal to ${name} limit of ${limit}`)
    }
  }
  if (pages && !computes) errors.forbidden(at, 'HugePages require cpu or memory')
  if (claims?.length) checkClaims(claims, rules.claims, at.child('claims'), errors)
}

function checkClaims(
  claims: NonNullable<Frozen<ResourceRequirements>['claims']>,
  known: ReadonlySet<string>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  const used = new Set<string>()
  claims.forEach(({ name, request }, i) => {
    if (!name) return errors.required(at.index(i))
    if (used.has(name)) errors.duplicate(at.index(i), name)
    else {
      if (request) for (const text of isLabel(request)) errors.invalid(at.index(i).child('request'), request, text)
      const key = request ? `${name}/${request}` : name
      if (used.has(key)) errors.duplicate(at.index(i), key)
      else if (!request) for (const other of used) if (other.startsWith(`${name}/`)) errors.duplicate(at.index(i), name)
      used.add(key)
    }
    if (!known.has(name)) errors.notFound(at.index(i), name, claimNamesText(known))
  })
}

const claimNamesText = (known: ReadonlySet<string>): string =>
  `must be one of the names in pod.spec.resourceClaims${known.size === 0 ? ' which is empty' : `: ${[...known].sort().join(', ')}`}`

/** Requests and limits of the Pod as a whole, and how the containers' fit into them. */
export function checkPodResources(
  spec: Frozen<PodSpec>,
  specAt: FieldPath,
  errors: FieldErrors,
  rules: PodRules,
): void {
  const { resources } = spec
  if (!resources) return
  const at = specAt.child('resources')
  if (spec.os?.name === 'windows') return errors.forbidden(at, 'may not be set for a windows pod')
  if (resources.claims) errors.forbidden(at.child('claims'), 'claims may not be set for Resources at pod-level')
  checkRequirements(
    resources,
    {
      nameRule: checkPodResourceName,
      claims: new Set(spec.resourceClaims?.map(({ name }) => name)),
      partialHugePages: rules.partialHugePages,
    },
    at,
    errors,
  )
  for (const [name, sum] of Object.entries(listOf(containerAmounts({ spec }, 'requests')))) {
    const whole = resources.requests?.[name]
    if (whole !== undefined && compareAmounts(sum, whole) > 0)
      errors.invalid(
        at.child('requests').key(name),
        whole,
        `must be greater than or equal to aggregate container requests of ${sum}`,
      )
  }
  for (const [name, sum] of Object.entries(listOf(containerAmounts({ spec }, 'limits')))) {
    const whole = resources.limits?.[name]
    if (isHugePages(name) && whole !== undefined && compareAmounts(sum, whole) > 0)
      errors.invalid(
        at.child('limits').key(name),
        whole,
        `must be greater than or equal to aggregate container limits of ${sum}`,
      )
  }
  spec.containers?.forEach((container, i) => {
    for (const [name, limit] of Object.entries(container.resources?.limits ?? {})) {
      const whole = resources.limits?.[name]
      if (whole !== undefined && compareAmounts(limit, whole) > 0)
        errors.invalid(
          at.child('containers').index(i).key(name).child('limits'),
          limit,
          `must be less than or equal to pod limits of ${whole}`,
        )
    }
  })
}
