import {
  configMaps,
  persistentVolumeClaims,
  pods,
  replicationControllers,
  resourceClaims,
  resourceQuotas,
  secrets,
  services,
} from '../../api/generated/resources.ts'
import type { Pod, ResourceQuota } from '../../api/generated/types/core-v1.ts'
import {
  addQuantities,
  canonicalQuantity,
  compareQuantities,
  formatQuantity,
  parseQuantity,
  quantityOf,
  type Quantity,
} from '../../api/quantity/quantity.ts'
import { isInScope } from '../../api/quota/scopes.ts'
import { usageOf } from '../../api/quota/usage.ts'
import { keyOf, keyText, type Frozen, type KubernetesObject, type Resource } from '../../api/resource.ts'
import { discover } from '../../client/discovery.ts'
import type { Informer } from '../../client/informer/informers.ts'
import { namespaceOf } from '../../client/object.ts'
import { defineController, requeueAfter, type Context, type Outcome } from '../framework/controller.ts'
import { same } from '../framework/equality.ts'
import { isTerminal } from '../framework/pod.ts'

interface Memory {
  /** The caches whose events wake quotas. */
  readonly waking: Set<Informer>
  /** By key: the version of a quota that is to be lowered, and since when it has been that one. */
  readonly unchanged: Map<string, { readonly version: string; readonly sinceMs: number }>
}
type C = Context<ResourceQuota, Memory>

/**
 * How long a quota has to be unchanged before its count is lowered: admission counts a moment before the object is there to be counted, and what would be taken back in
 * between would let too many through.
 */
const unchangedMs = 50

/** Resources that are counted by names of their own. */
const named: readonly { readonly names: RegExp; readonly resource: Resource }[] = [
  {
    names:
      /^(pods|count\/pods|(requests\.|limits\.)?(cpu|memory|ephemeral-storage)|(requests\.)?hugepages-.*|requests\.[^/]+\/.*)$/,
    resource: pods,
  },
  { names: /^(services(\.loadbalancers|\.nodeports)?|count\/services)$/, resource: services },
  {
    names:
      /^((.+\.storageclass\.storage\.k8s\.io\/)?(persistentvolumeclaims|requests\.storage)|count\/persistentvolumeclaims)$/,
    resource: persistentVolumeClaims,
  },
  { names: /^(count\/)?configmaps$/, resource: configMaps },
  { names: /^(count\/)?secrets$/, resource: secrets },
  { names: /^(count\/)?replicationcontrollers$/, resource: replicationControllers },
  { names: /^(count\/)?resourcequotas$/, resource: resourceQuotas },
  { names: /\.deviceclass\.resource\.k8s\.io\/devices$/, resource: resourceClaims },
]

/** Counts what is used of each quota. Admission counts up when something is made; this counts down when it goes, and repairs. */
export const resourceQuotaController = defineController<ResourceQuota, Memory>({
  name: 'resourcequota-controller',
  reconciles: resourceQuotas,
  // Admission counts up in the status before the object is there to be counted: counting again then would take it back.
  matters: (quota, old) => !same(quota.spec, old.spec),
  parallel: 5,
  memory: () => ({ waking: new Set(), unchanged: new Map() }),
  reconcile,
  gone: (key, { memory }) => void memory.unchanged.delete(key),
})

async function reconcile(quota: Frozen<ResourceQuota>, c: C): Promise<Outcome> {
  const names = Object.keys(quota.spec?.hard ?? {})
  const resources = await resourcesFor(names, c)
  const namespace = namespaceOf(quota)
  const known = quota.status?.used ?? {}
  const key = keyText(keyOf(quota))
  let used = await countIn(quota, resources, c, async (resource) => (await informerOf(resource, c)).list(namespace))
  if (!isLower(used, known)) c.memory.unchanged.delete(key)
  else {
    const waitMs = unchangedMs - unchangedForMs(key, quota, c)
    if (waitMs > 0) {
      await write(quota, notLowered(used, known), c)
      return requeueAfter(waitMs)
    }
    // Caches may be behind what has been counted; the server is not.
    used = await countIn(quota, resources, c, async (resource) => (await c.client.list(resource, { namespace })).items)
    c.memory.unchanged.delete(key)
  }
  await write(quota, used, c)
  return requeueAfter(c.options.resourceQuotaSyncPeriodMs)
}

type Used = ReadonlyMap<string, Quantity>

/** What is used of all that the quota names. */
async function countIn(
  quota: Frozen<ResourceQuota>,
  resources: ReadonlyMap<string, Resource>,
  { clock }: C,
  objectsOf: (resource: Resource) => Promise<readonly Frozen<KubernetesObject>[]>,
): Promise<Used> {
  const used = new Map<string, Quantity>([...resources.keys()].map((name) => [name, quantityOf(0)]))
  for (const resource of new Set(resources.values())) {
    for (const object of await objectsOf(resource)) {
      if (!isInScope({ resource }, object, quota)) continue
      for (const [name, amount] of usageOf({ resource }, object, clock.now())) {
        const before = used.get(name)
        if (before) used.set(name, addQuantities(before, amount))
      }
    }
  }
  return used
}

const isLess = (amount: Quantity, known: string | undefined): boolean =>
  known !== undefined && compareQuantities(amount, parseQuantity(known)) < 0

const isLower = (used: Used, known: Readonly<Record<string, string>>): boolean =>
  [...used].some(([name, amount]) => isLess(amount, known[name]))

const notLowered = (used: Used, known: Readonly<Record<string, string>>): Used =>
  new Map([...used].map(([name, amount]) => [name, isLess(amount, known[name]) ? parseQuantity(known[name]!) : amount]))

/** For how long the quota has been as it is, as far as this controller has looked. */
function unchangedForMs(key: string, { metadata }: Frozen<ResourceQuota>, { memory, clock }: C): number {
  const version = metadata.resourceVersion ?? ''
  const seen = memory.unchanged.get(key)
  if (seen?.version === version) return clock.now() - seen.sinceMs
  memory.unchanged.set(key, { version, sinceMs: clock.now() })
  return 0
}

async function write(quota: Frozen<ResourceQuota>, used: Used, c: C): Promise<void> {
  const hard = quota.spec?.hard ?? {}
  // What cannot be counted keeps its last count.
  const kept = Object.entries(quota.status?.used ?? {}).filter(([name]) => Object.hasOwn(hard, name) && !used.has(name))
  const status = {
    hard,
    used: {
      ...Object.fromEntries(kept),
      ...Object.fromEntries([...used].map(([name, amount]) => [name, formatQuantity(amount)])),
    },
  }
  if (!same(canonical(status), canonical(quota.status))) await c.writeStatus(quota, status, true)
}

/** Quantities that mean the same in the same text; every name counts, also with 0. */
const canonical = (status: Frozen<ResourceQuota>['status']) =>
  [status?.hard, status?.used].map((list) =>
    Object.entries(list ?? {})
      .map(([name, text]) => `${name}=${canonicalQuantity(text)}`)
      .sort()
      .join(),
  )

/** Which resource has to be counted for each name. */
async function resourcesFor(names: readonly string[], c: C): Promise<Map<string, Resource>> {
  const found = new Map<string, Resource>()
  const others: string[] = []
  for (const name of names) {
    const known = named.find((entry) => entry.names.test(name))
    if (known) found.set(name, known.resource)
    else if (name.startsWith('count/')) others.push(name)
  }
  if (others.length === 0) return found
  const { resources } = await discover(c.client)
  for (const name of others) {
    const resource = resources.find(
      ({ plural, group, preferred, namespaced }) =>
        preferred && namespaced && name === `count/${plural}${group && `.${group}`}`,
    )
    if (resource) found.set(name, resource)
  }
  return found
}

/** The resource's cache; the first time, its events begin to wake the quotas of their namespaces. */
async function informerOf(resource: Resource, c: C): Promise<Informer> {
  const { group, version, kind, plural, namespaced } = resource
  const detailed = named.some((entry) => entry.resource.plural === plural && entry.resource.group === group)
  const informer: Informer = c.informers.of<KubernetesObject>(
    { group, version, kind, plural, namespaced },
    detailed ? {} : { metadataOnly: true },
  )
  if (!c.memory.waking.has(informer)) {
    c.memory.waking.add(informer)
    const wake = (object: Frozen<KubernetesObject>) => {
      for (const quota of c.of(resourceQuotas).list(namespaceOf(object))) c.enqueue(keyText(keyOf(quota)))
    }
    // Admission has counted what is new already.
    informer.on({
      deleted: wake,
      updated: (object, old) => void (plural !== 'resourcequotas' && mayFree(plural, object, old) && wake(object)),
    })
  }
  await informer.synced
  return informer
}

/** The change may be one that uses less than before. */
function mayFree(plural: string, object: Frozen<KubernetesObject>, old: Frozen<KubernetesObject>): boolean {
  if (plural === 'pods')
    return (
      isTerminal(object as Frozen<Pod>) !== isTerminal(old as Frozen<Pod>) ||
      !same(askedBy(object as Frozen<Pod>), askedBy(old as Frozen<Pod>)) ||
      !same(heldBy(object as Frozen<Pod>), heldBy(old as Frozen<Pod>))
    )
  if (plural === 'services' || plural === 'persistentvolumeclaims')
    return !same((object as Frozen<Pod>).spec, (old as Frozen<Pod>).spec)
  return false
}

/** What it asks for, and for how long. */
const askedBy = ({ spec }: Frozen<Pod>) => [
  spec?.activeDeadlineSeconds,
  ...[spec, ...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].map((part) => part?.resources),
]

/** What its containers hold: a resize that makes them smaller frees it only when it is done. */
const heldBy = ({ status }: Frozen<Pod>) =>
  [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])].map(
    ({ name, resources, allocatedResources }) => [name, resources, allocatedResources],
  )
