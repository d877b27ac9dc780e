import { endpointSlices, namespaces, services } from '../../api/generated/resources.ts'
import type { Service } from '../../api/generated/types/core-v1.ts'
import type { Endpoint, EndpointSlice } from '../../api/generated/types/discovery-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { Informers } from '../../client/informer/informers.ts'

/** What names are made from: the cluster as the resolver sees it. */
export interface ClusterView {
  hasNamespace(name: string): boolean
  service(namespace: string, name: string): Frozen<Service> | undefined
  slices(namespace: string, service: string): readonly Frozen<EndpointSlice>[]
  /** The Services with this ClusterIP. */
  servicesAt(address: string): readonly Frozen<Service>[]
  /** The slices that have this address. */
  slicesAt(address: string): readonly Frozen<EndpointSlice>[]
}

/** A view that follows the cluster. */
export interface FollowedView extends ClusterView {
  readonly synced: Promise<void>
  hasSynced(): boolean
  stop(): void
}

/** The label by which a slice names its Service. */
const serviceNameLabel = 'kubernetes.io/service-name'
const indexes = { service: 'dnsService', address: 'dnsAddress' } as const

/** The view through informers. `changed` is called when a name may have got another answer. */
export function followCluster(informers: Informers, changed: () => void): FollowedView {
  const allServices = informers.of(services)
  const allSlices = informers.of(endpointSlices)
  const allNamespaces = informers.of(namespaces, { metadataOnly: true })
  allServices.index(
    indexes.address,
    (service) => service.spec?.clusterIPs ?? (service.spec?.clusterIP ? [service.spec.clusterIP] : []),
  )
  allSlices.index(indexes.service, (slice) => [
    `${slice.metadata.namespace}/${slice.metadata.labels?.[serviceNameLabel] ?? ''}`,
  ])
  allSlices.index(indexes.address, (slice) => (slice.endpoints ?? []).flatMap((endpoint) => endpoint.addresses))
  const always = { added: changed, updated: changed, deleted: changed }
  const stops = [
    allServices.on({ ...always, updated: (service, old) => (service.spec !== old.spec ? changed() : undefined) }),
    allSlices.on(always),
    allNamespaces.on({ added: changed, deleted: changed }),
  ]
  return {
    hasNamespace: (name) => allNamespaces.byKey(name) !== undefined,
    service: (namespace, name) => allServices.byKey(`${namespace}/${name}`),
    slices: (namespace, service) => allSlices.by(indexes.service, `${namespace}/${service}`),
    servicesAt: (address) => allServices.by(indexes.address, address),
    slicesAt: (address) => allSlices.by(indexes.address, address),
    synced: Promise.all([allServices.synced, allSlices.synced, allNamespaces.synced]).then(() => {}),
    hasSynced: () => allServices.hasSynced() && allSlices.hasSynced() && allNamespaces.hasSynced(),
    stop() {
      for (const stop of stops) stop()
    },
  }
}

/** The name under which an endpoint is found below its Service's: its hostname, or its address with dashes. */
export const endpointLabel = (endpoint: Frozen<Endpoint>, address: string): string =>
  endpoint.hostname ?? address.replace(/[.:]/g, '-')

/** Whether an endpoint has names: it is ready. (Slices of Services that publish unready addresses say ready.) */
export const isPublished = (endpoint: Frozen<Endpoint>): boolean => endpoint.conditions?.ready ?? true
