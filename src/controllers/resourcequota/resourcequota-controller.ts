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
  canonicalQuantity,
  formatQuantity,
  addQuantities,
  quantityOf,
  type Quantity,
} from '../../api/quantity/quantity.ts'
import { isInScope } from '../../api/quota/scopes.ts'
import { usageOf } from '../../api/quota/usage.ts'
import type { Frozen, KubernetesObject, Resource } from '../../api/resource.ts'
import { discover } from '../../client/discovery.ts'
import type { Informer } from '../../client/informer/informers.ts'
import { nameOf, namespaceOf } from '../../client/object.ts'
import { defineController, requeueAfter, type Context, type Outcome } from '../framework/controller.ts'
import { same } from '../framework/equality.ts'
import { isTerminal } from '../framework/pod.ts'

/** The caches whose events wake quotas. */
type Memory = Set<Informer>
type C = Context<ResourceQuota, Memory>

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
  memory: () => new Set(),
  reconcile,
})

async function reconcile(quota: Frozen<ResourceQuota>, c: C): Promise<Outcome> {
  const hard = quota.spec?.hard ?? {}
  const names = Object.keys(hard)
  const resources = await resourcesFor(names, c)
  const used = new Map<string, Quantity>(
    names.filter((name) => resources.has(name)).map((name) => [name, quantityOf(0)]),
  )
  for (const resource of new Set(resources.values())) {
    const informer = await informerOf(resource, c)
    for (const object of informer.list(namespaceOf(quota))) {
      if (!isInScope({ resource }, object, quota)) continue
      for (const [name, amount] of usageOf({ resource }, object, c.clock.now())) {
        const before = used.get(name)
        if (before) used.set(name, addQuantities(before, amount))
      }
    }
  }
  // What cannot be counted keeps its last count.
  const kept = Object.entries(quota.status?.used ?? {}).filter(([name]) => names.includes(name) && !used.has(name))
  const status = {
    hard,
    used: {
      ...Object.fromEntries(kept),
      ...Object.fromEntries([...used].map(([name, amount]) => [name, formatQuantity(amount)])),
    },
  }
  if (!same(canonical(status), canonical(quota.status))) await c.writeStatus(quota, status, true)
  return requeueAfter(c.options.resourceQuotaSyncPeriodMs)
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
  if (!c.memory.has(informer)) {
    c.memory.add(informer)
    const wake = (object: Frozen<KubernetesObject>) => {
      for (const quota of c.of(resourceQuotas).list(namespaceOf(object)))
        c.enqueue(`${namespaceOf(quota)}/${nameOf(quota)}`)
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
      !same((object as Frozen<Pod>).spec, (old as Frozen<Pod>).spec) ||
      !same(heldBy(object as Frozen<Pod>), heldBy(old as Frozen<Pod>))
    )
  if (plural === 'services' || plural === 'persistentvolumeclaims')
    return !same((object as Frozen<Pod>).spec, (old as Frozen<Pod>).spec)
  return false
}

/** What its containers hold: a resize that makes them smaller frees it only when it is done. */
const heldBy = ({ status }: Frozen<Pod>) =>
  [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])].map(
    ({ name, resources, allocatedResources }) => [name, resources, allocatedResources],
  )
