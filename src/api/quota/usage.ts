import { persistentVolumeClaims, pods, resourceClaims, services } from '../generated/resources.ts'
import { classOf } from '../core/claim-binding.ts'
import { addAmounts, amountsOf, podAmounts, type Amounts } from '../core/pod-spec/resource-sums.ts'
import { parseQuantity, quantityOf, type Quantity } from '../quantity/quantity.ts'
import type { PersistentVolumeClaim, Pod, Service } from '../generated/types/core-v1.ts'
import type { Frozen, KubernetesObject, Resource } from '../resource.ts'
import { sameResource } from '../resource.ts'

/** What an object counts for in quotas, by the names that quotas use. */
export function usageOf(
  { resource }: { readonly resource: Resource },
  object: Frozen<KubernetesObject>,
  nowMs: number,
): Amounts {
  const { group, plural } = resource
  const usage: Amounts = new Map([[`count/${plural}${group && `.${group}`}`, quantityOf(1)]])
  if (sameResource(resource, pods)) addPod(usage, object as Frozen<Pod>, nowMs)
  else if (sameResource(resource, services)) addService(usage, object as Frozen<Service>)
  else if (sameResource(resource, persistentVolumeClaims)) addClaim(usage, object as Frozen<PersistentVolumeClaim>)
  else if (sameResource(resource, resourceClaims)) addDevices(usage, object)
  else if (group === '' && counted.has(plural)) usage.set(plural, quantityOf(1))
  return usage
}

/** Kinds that can be counted by their plain names. */
const counted: ReadonlySet<string> = new Set(['configmaps', 'secrets', 'replicationcontrollers', 'resourcequotas'])

function addPod(usage: Amounts, pod: Frozen<Pod>, nowMs: number): void {
  if (!pod.spec || isOver(pod, nowMs)) return
  const [requests, limits] = [podAmounts(pod, 'requests'), podAmounts(pod, 'limits')]
  // The sandbox itself is counted, too; a limit that nobody set is none.
  const overhead = amountsOf(pod.spec.overhead)
  addAmounts(requests, overhead)
  addAmounts(limits, new Map([...overhead].filter(([name]) => limits.has(name))))
  for (const [name, amount] of podUsage(requests, limits)) usage.set(name, amount)
}

/** A pod that has ended, or should have long ago, counts as an object only. */
function isOver({ status, metadata }: Frozen<Pod>, nowMs: number): boolean {
  if (status?.phase === 'Failed' || status?.phase === 'Succeeded') return true
  return (
    Boolean(metadata?.deletionTimestamp) &&
    metadata?.deletionGracePeriodSeconds !== undefined &&
    nowMs > Date.parse(metadata.deletionTimestamp!)
  )
}

/** Requests and limits under all the names that quotas have for them. */
export function podUsage(requests: Amounts, limits: Amounts): Amounts {
  const usage: Amounts = new Map([['pods', quantityOf(1)]])
  for (const [name, amount] of requests) {
    if (name === 'cpu' || name === 'memory' || name === 'ephemeral-storage') {
      usage.set(name, amount)
      usage.set(`requests.${name}`, amount)
    } else if (name.startsWith('hugepages-')) {
      usage.set(name, amount)
      usage.set(`requests.${name}`, amount)
    } else if (name.includes('/')) usage.set(`requests.${name}`, amount)
  }
  for (const [name, amount] of limits)
    if (name === 'cpu' || name === 'memory' || name === 'ephemeral-storage') usage.set(`limits.${name}`, amount)
  return usage
}

function addService(usage: Amounts, { spec }: Frozen<Service>): void {
  const ports = spec?.ports ?? []
  const balanced = spec?.type === 'LoadBalancer'
  const all = spec?.type === 'NodePort' || (balanced && spec.allocateLoadBalancerNodePorts !== false)
  usage.set('services', quantityOf(1))
  usage.set('services.loadbalancers', quantityOf(balanced ? 1 : 0))
  usage.set(
    'services.nodeports',
    quantityOf(all ? ports.length : balanced ? ports.filter(({ nodePort }) => nodePort).length : 0),
  )
}

function addClaim(usage: Amounts, claim: Frozen<PersistentVolumeClaim>): void {
  const { spec, status } = claim
  const className = classOf(claim)
  const requested = spec?.resources?.requests?.['storage']
  const allocated = status?.allocatedResources?.['storage']
  let amount: Quantity | undefined = requested === undefined ? undefined : parseQuantity(requested)
  if (amount && allocated !== undefined && parseQuantity(allocated).nano > amount.nano)
    amount = parseQuantity(allocated)
  usage.set('persistentvolumeclaims', quantityOf(1))
  if (amount) usage.set('requests.storage', amount)
  if (className === '') return
  const ofClass = `${className}.storageclass.storage.k8s.io/`
  usage.set(`${ofClass}persistentvolumeclaims`, quantityOf(1))
  if (amount) usage.set(`${ofClass}requests.storage`, amount)
}

function addDevices(usage: Amounts, object: Frozen<KubernetesObject>): void {
  const { spec } = object as {
    spec?: { devices?: { requests?: readonly { exactly?: { deviceClassName?: string; count?: number } }[] } }
  }
  for (const { exactly } of spec?.devices?.requests ?? []) {
    if (!exactly?.deviceClassName) continue
    const name = `${exactly.deviceClassName}.deviceclass.resource.k8s.io/devices`
    addAmounts(usage, new Map([[name, quantityOf(exactly.count ?? 1)]]))
  }
}
