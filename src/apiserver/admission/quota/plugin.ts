import { pods, resourceQuotas, services, persistentVolumeClaims } from '../../../api/generated/resources.ts'
import {
  addQuantities,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  quantityOf,
  subtractQuantities,
} from '../../../api/quantity/quantity.ts'
import type { Pod, ResourceQuota } from '../../../api/generated/types/core-v1.ts'
import type { Frozen, KubernetesObject } from '../../../api/resource.ts'
import { normalise } from '../../../api/schema/decode.ts'
import type { Clock } from '../../../base/clock.ts'
import type { Draft } from '../../registry/resource-storage.ts'
import type { Registry } from '../../registry/registry.ts'
import type { AdmissionPlugin, Attributes } from '../admission.ts'
import { refusal } from '../forbidden.ts'
import { isResource } from '../kinds.ts'
import { amountsOf, listOf, type Amounts } from '../../../api/core/pod-spec/resource-sums.ts'
import { isInScope, isTerminating } from '../../../api/quota/scopes.ts'
import { podUsage, usageOf } from '../../../api/quota/usage.ts'

/** Keeps what is in a namespace within its quotas. What is granted is written into the quotas at once, so that two at a time cannot share the last of it. */
export function resourceQuota(registry: Registry, clock: Clock): AdmissionPlugin {
  return {
    name: 'ResourceQuota',
    handles(operation, kind, subresource) {
      if (!kind.resource.namespaced || !kind.verbs.includes('list')) return false
      if (isResource(kind, pods) && operation === 'UPDATE' && subresource === 'resize') return true
      if (subresource !== '') return false
      return (
        operation === 'CREATE' ||
        (operation === 'UPDATE' &&
          [pods, services, persistentVolumeClaims].some((resource) => isResource(kind, resource)))
      )
    },
    validate(attributes) {
      const storage = registry.storageOfResource(resourceQuotas)!
      if (storage.cache.count(attributes.namespace) === 0) return
      if (
        attributes.operation === 'UPDATE' &&
        isResource(attributes.kind, pods) &&
        attributes.subresource === '' &&
        isTerminating(attributes.object as Frozen<Pod>) === isTerminating(attributes.old as Frozen<Pod>)
      )
        return
      return charge(registry, attributes, clock.now())
    },
  }
}

async function charge(registry: Registry, attributes: Attributes, nowMs: number): Promise<void> {
  const { kind, namespace, operation } = attributes
  const object = attributes.object as Frozen<KubernetesObject>
  const usage = usageOf(kind, object, nowMs)
  const before = operation === 'UPDATE' && attributes.old ? usageOf(kind, attributes.old, nowMs) : undefined
  const charged: { name: string; delta: Amounts }[] = []
  for (const quota of registry.list(resourceQuotas, namespace)) {
    if (!isInScope(kind, object, quota)) continue
    const names = Object.keys(quota.status?.hard ?? {}).filter((name) => usage.has(name) || constrains(kind, name))
    checkConstraints(attributes, quota, names)
    if (names.length === 0) continue
    const unknown = names.filter((name) => quota.status?.used?.[name] === undefined)
    if (unknown.length > 0)
      throw refusal(
        attributes,
        `status unknown for quota: ${quota.metadata!.name}, resources: ${names.sort().join(',')}`,
      )
    const counts = before && isInScope(kind, attributes.old!, quota)
    const delta: Amounts = new Map()
    for (const name of names) {
      const now = usage.get(name) ?? quantityOf(0)
      const amount = counts ? subtractQuantities(now, before.get(name) ?? quantityOf(0)) : now
      if (amount.nano > 0n) delta.set(name, amount)
    }
    if (delta.size > 0) charged.push({ name: quota.metadata!.name!, delta })
  }
  for (const { name, delta } of charged) check(attributes, registry.get(resourceQuotas, { namespace, name }), delta)
  if (attributes.dryRun) return
  for (const { name, delta } of charged) await write(registry, attributes, name, delta)
}

const podNames = /^((requests|limits)\.)?(cpu|memory|ephemeral-storage)$|^(requests\.)?hugepages-|^pods$/

/** Quotas of these names want every pod to say what it needs. */
const constrains = (kind: Attributes['kind'], name: string): boolean => isResource(kind, pods) && podNames.test(name)

function checkConstraints(
  { kind, object, ...rest }: Attributes,
  { metadata }: Frozen<ResourceQuota>,
  names: readonly string[],
): void {
  if (!isResource(kind, pods)) return
  const { spec } = object as Pod
  const onPod =
    spec?.resources &&
    (Object.keys(spec.resources.requests ?? {}).length > 0 || Object.keys(spec.resources.limits ?? {}).length > 0)
  if (onPod) return
  const required = names.filter(
    (name) =>
      podNames.test(name) && name !== 'pods' && !name.includes('hugepages') && !name.endsWith('ephemeral-storage'),
  )
  const missing = new Map<string, string[]>()
  for (const container of [...(spec?.containers ?? []), ...(spec?.initContainers ?? [])]) {
    const own = podUsage(amountsOf(container.resources?.requests), amountsOf(container.resources?.limits))
    for (const name of required) if (!own.has(name)) missing.set(name, [...(missing.get(name) ?? []), container.name])
  }
  if (missing.size === 0) return
  const text = [...missing]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, containers]) => `${name} for: ${[...new Set(containers)].sort().join(',')}`)
  throw refusal({ ...rest, kind, object }, `failed quota: ${metadata!.name}: must specify ${text.join('; ')}`)
}

function check(attributes: Attributes, quota: Frozen<ResourceQuota> | undefined, delta: Amounts): void {
  const exceeded = [...delta].filter(([name, amount]) => {
    const hard = quota?.status?.hard?.[name]
    return (
      hard !== undefined &&
      compareQuantities(addQuantities(parseQuantity(quota?.status?.used?.[name] ?? '0'), amount), parseQuantity(hard)) >
        0
    )
  })
  if (exceeded.length === 0) return
  const texts = (value: (name: string, amount: Amounts extends Map<string, infer Q> ? Q : never) => string) =>
    exceeded
      .map(([name, amount]) => `${name}=${value(name, amount)}`)
      .sort()
      .join(',')
  const status = quota!.status!
  throw refusal(
    attributes,
    `exceeded quota: ${quota!.metadata!.name}, requested: ${texts((_, amount) => formatQuantity(amount))}, used: ${texts((name) => status.used?.[name] ?? '0')}, limited: ${texts((name) => status.hard?.[name] ?? '0')}`,
  )
}

async function write(registry: Registry, attributes: Attributes, name: string, delta: Amounts): Promise<void> {
  const storage = registry.storageOfResource(resourceQuotas)!
  await storage.change(storage.keyOf(attributes.namespace, name), (current) => {
    const quota = current?.object as Frozen<ResourceQuota> | undefined
    if (!quota) return { action: 'keep' }
    check(attributes, quota, delta)
    const used = amountsOf(quota.status?.used)
    for (const [key, amount] of delta) used.set(key, addQuantities(used.get(key) ?? quantityOf(0), amount))
    return {
      action: 'write',
      draft: normalise(storage.kind.schema, {
        ...quota,
        status: { ...quota.status, used: listOf(used) },
      }) as unknown as Draft,
    }
  })
}
