import { limitRanges, persistentVolumeClaims, pods } from '../../api/generated/resources.ts'
import { compareQuantities, parseQuantity, type Quantity } from '../../api/quantity/quantity.ts'
import type {
  Container,
  LimitRange,
  LimitRangeItem,
  PersistentVolumeClaim,
  Pod,
} from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { Lookup } from '../registry/registry.ts'
import type { AdmissionPlugin, Attributes } from './admission.ts'
import { refusal } from './forbidden.ts'
import { isResource } from './kinds.ts'
import { amountsOf, podAmounts, type Amounts } from '../../api/core/pod-spec/resource-sums.ts'

const annotation = 'kubernetes.io/limit-ranger'

/** Keeps pods and claims within their namespace's limits, and gives containers the default ones. */
export function limitRanger(lookup: Lookup): AdmissionPlugin {
  const limitsOf = ({ old, namespace }: Attributes): readonly Frozen<LimitRange>[] =>
    old?.metadata?.deletionTimestamp ? [] : lookup.list(limitRanges, namespace)
  return {
    name: 'LimitRanger',
    handles(operation, kind, subresource) {
      if (isResource(kind, pods))
        return (operation === 'CREATE' && subresource === '') || (operation === 'UPDATE' && subresource === 'resize')
      return (
        isResource(kind, persistentVolumeClaims) &&
        subresource === '' &&
        (operation === 'CREATE' || operation === 'UPDATE')
      )
    },
    admit(attributes) {
      if (!isResource(attributes.kind, pods)) return
      for (const range of limitsOf(attributes)) fillPod(attributes.object as Pod, range)
    },
    validate(attributes) {
      for (const range of limitsOf(attributes)) {
        const problems = isResource(attributes.kind, pods)
          ? podProblems(attributes.object as Pod, range)
          : claimProblems(attributes.object as PersistentVolumeClaim, range)
        if (problems.length > 0)
          throw refusal(attributes, problems.length === 1 ? problems[0]! : `[${[...new Set(problems)].join(', ')}]`)
      }
    },
  }
}

function fillPod(pod: Pod, range: Frozen<LimitRange>): void {
  const requests: Record<string, string> = {}
  const limits: Record<string, string> = {}
  for (const item of range.spec?.limits ?? []) {
    if (item.type !== 'Container') continue
    Object.assign(requests, item.defaultRequest)
    Object.assign(limits, item.default)
  }
  const notes: string[] = []
  for (const container of pod.spec?.containers ?? []) fillContainer(container, { requests, limits }, 'container', notes)
  for (const container of pod.spec?.initContainers ?? [])
    fillContainer(container, { requests, limits }, 'init container', notes)
  if (notes.length > 0)
    ((pod.metadata ??= {}).annotations ??= {})[annotation] = `LimitRanger plugin set: ${notes.join('; ')}`
}

function fillContainer(
  container: Container,
  defaults: { requests: Record<string, string>; limits: Record<string, string> },
  what: string,
  notes: string[],
): void {
  const resources = (container.resources ??= {})
  const set = { limits: [] as string[], requests: [] as string[] }
  for (const part of ['limits', 'requests'] as const) {
    for (const [name, amount] of Object.entries(defaults[part])) {
      if (resources[part]?.[name] !== undefined) continue
      ;(resources[part] ??= {})[name] = amount
      set[part].push(name)
    }
  }
  if (set.requests.length > 0) notes.push(`${set.requests.sort().join(', ')} request for ${what} ${container.name}`)
  if (set.limits.length > 0) notes.push(`${set.limits.sort().join(', ')} limit for ${what} ${container.name}`)
}

function podProblems({ spec }: Pod, range: Frozen<LimitRange>): string[] {
  const problems: string[] = []
  for (const item of range.spec?.limits ?? []) {
    if (item.type === 'Container') {
      for (const { resources } of [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])])
        check(item, amountsOf(resources?.requests), amountsOf(resources?.limits), problems)
    } else if (item.type === 'Pod' && spec)
      check(
        item,
        podAmounts({ spec } as Frozen<Pick<Pod, 'spec'>>, 'requests'),
        podAmounts({ spec } as Frozen<Pick<Pod, 'spec'>>, 'limits'),
        problems,
      )
  }
  return problems
}

function claimProblems({ spec }: PersistentVolumeClaim, range: Frozen<LimitRange>): string[] {
  const problems: string[] = []
  const requests = amountsOf(spec?.resources?.requests)
  for (const item of range.spec?.limits ?? []) {
    if (item.type !== 'PersistentVolumeClaim') continue
    for (const [name, text] of Object.entries(item.min ?? {}))
      checkMin(item.type, name, { enforced: text, requests, limits: new Map() }, problems)
    for (const [name, text] of Object.entries(item.max ?? {})) {
      const request = requests.get(name)
      if (!request) problems.push(`maximum ${name} usage per ${item.type} is ${text}.  No request is specified`)
      else if (compareQuantities(request, parseQuantity(text)) > 0)
        problems.push(
          `maximum ${name} usage per ${item.type} is ${text}, but request is ${spec?.resources?.requests?.[name]}`,
        )
    }
  }
  return problems
}

function check(item: Frozen<LimitRangeItem>, requests: Amounts, limits: Amounts, problems: string[]): void {
  const type = item.type
  for (const [name, enforced] of Object.entries(item.min ?? {}))
    checkMin(type, name, { enforced, requests, limits }, problems)
  for (const [name, text] of Object.entries(item.max ?? {})) {
    const enforced = parseQuantity(text)
    const [request, limit] = [requests.get(name), limits.get(name)]
    if (!limit) problems.push(`maximum ${name} usage per ${type} is ${text}.  No limit is specified`)
    else if (compareQuantities(limit, enforced) > 0)
      problems.push(`maximum ${name} usage per ${type} is ${text}, but limit is ${textOf(limit)}`)
    else if (request && compareQuantities(request, enforced) > 0)
      problems.push(`maximum ${name} usage per ${type} is ${text}, but request is ${textOf(request)}`)
  }
  for (const [name, text] of Object.entries(item.maxLimitRequestRatio ?? {})) {
    const [request, limit] = [requests.get(name), limits.get(name)]
    if (!request || request.nano === 0n)
      problems.push(
        `${name} max limit to request ratio per ${type} is ${text}, but no request is specified or request is 0`,
      )
    else if (!limit || limit.nano === 0n)
      problems.push(
        `${name} max limit to request ratio per ${type} is ${text}, but no limit is specified or limit is 0`,
      )
    // limit / request > ratio, without leaving whole numbers
    else if (limit.nano * 1_000_000_000n > parseQuantity(text).nano * request.nano)
      problems.push(
        `${name} max limit to request ratio per ${type} is ${text}, but provided ratio is ${(Number(limit.nano) / Number(request.nano)).toFixed(6)}`,
      )
  }
}

function checkMin(
  type: string,
  name: string,
  { enforced: text, requests, limits }: { enforced: string; requests: Amounts; limits: Amounts },
  problems: string[],
): void {
  const enforced = parseQuantity(text)
  const [request, limit] = [requests.get(name), limits.get(name)]
  if (!request) problems.push(`minimum ${name} usage per ${type} is ${text}.  No request is specified`)
  else if (compareQuantities(request, enforced) < 0)
    problems.push(`minimum ${name} usage per ${type} is ${text}, but request is ${textOf(request)}`)
  else if (limit && compareQuantities(limit, enforced) < 0)
    problems.push(`minimum ${name} usage per ${type} is ${text}, but limit is ${textOf(limit)}`)
}

const textOf = (amount: Quantity): string =>
  amount.nano % 1_000_000_000n === 0n ? String(amount.nano / 1_000_000_000n) : `${amount.nano / 1_000_000n}m`
