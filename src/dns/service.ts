import { endpointSlices, services } from '../api/generated/resources.ts'
import type { Service } from '../api/generated/types/core-v1.ts'
import type { EndpointSlice } from '../api/generated/types/discovery-v1.ts'
import { isAlreadyExists, isNotFound } from '../api/errors/api-error.ts'
import type { Frozen, KubernetesObject, ObjectKey, Resource } from '../api/resource.ts'
import type { Client } from '../client/client.ts'

/** A DNS server of the cluster. */
export interface DnsEndpoint {
  /** The node it runs on; that node's pods prefer it. */
  readonly nodeName: string
  readonly address: string
  readonly port: number
  /** Where it serves /metrics, when it does. */
  readonly metricsPort?: number
}

/** The DNS Service's name, as every cluster has it. */
const dnsServiceKey = { namespace: 'kube-system', name: 'kube-dns' } as const
/** Says that no controller of the cluster looks after the slices. */
const managedBy = 'dns.kubernode.dev'

/**
 * Makes the Service kube-system/kube-dns with its well-known address, and an EndpointSlice for each server. It has no selector, since the servers are no pods;
 * slices of servers that are not among `endpoints` stay, so that each node can publish its own: `removeDnsEndpoint` takes one away.
 */
export async function ensureDnsService(
  client: Client,
  endpoints: readonly DnsEndpoint[],
  options: { readonly clusterIp?: string } = {},
): Promise<void> {
  await ensure(client, services, dnsServiceKey, () => dnsService(options.clusterIp ?? '10.96.0.10'))
  for (const endpoint of endpoints)
    await ensure(client, endpointSlices, sliceKey(endpoint.nodeName), (old) => dnsSlice(endpoint, old))
}

/** Takes a node's DNS server off the Service. */
export async function removeDnsEndpoint(client: Client, nodeName: string): Promise<void> {
  await client.delete(endpointSlices, sliceKey(nodeName)).catch((error: unknown) => {
    if (!isNotFound(error)) throw error
  })
}

const sliceKey = (nodeName: string) => ({
  namespace: dnsServiceKey.namespace,
  name: `${dnsServiceKey.name}-${nodeName}`,
})

const ports = (metricsPort: boolean) => [
  { name: 'dns', port: 53, protocol: 'UDP' },
  { name: 'dns-tcp', port: 53, protocol: 'TCP' },
  ...(metricsPort ? [{ name: 'metrics', port: 9153, protocol: 'TCP' }] : []),
]

const dnsService = (clusterIP: string): Service => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: {
    ...dnsServiceKey,
    annotations: { 'prometheus.io/port': '9153', 'prometheus.io/scrape': 'true' },
    labels: { 'k8s-app': 'kube-dns', 'kubernetes.io/cluster-service': 'true', 'kubernetes.io/name': 'CoreDNS' },
  },
  spec: {
    type: 'ClusterIP',
    clusterIP,
    clusterIPs: [clusterIP],
    ports: ports(true).map((port) => ({ ...port, targetPort: port.port })),
  },
})

const dnsSlice = (endpoint: DnsEndpoint, old: Frozen<EndpointSlice> | undefined): EndpointSlice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: {
    ...sliceKey(endpoint.nodeName),
    labels: {
      'kubernetes.io/service-name': dnsServiceKey.name,
      'endpointslice.kubernetes.io/managed-by': managedBy,
      'k8s-app': 'kube-dns',
    },
    ...(old?.metadata.resourceVersion && { resourceVersion: old.metadata.resourceVersion }),
  },
  addressType: endpoint.address.includes(':') ? 'IPv6' : 'IPv4',
  ports: ports(endpoint.metricsPort !== undefined).map(({ name, protocol }) => ({
    name,
    protocol,
    port: name === 'metrics' ? (endpoint.metricsPort ?? 0) : endpoint.port,
  })),
  endpoints: [
    {
      addresses: [endpoint.address],
      nodeName: endpoint.nodeName,
      conditions: { ready: true, serving: true, terminating: false },
      hints: { forNodes: [{ name: endpoint.nodeName }] },
    },
  ],
})

/** Creates the object, or updates it when `make` gives something else than is there. A Service that is there stays as it is: it may be somebody's own. */
async function ensure<T extends KubernetesObject>(
  client: Client,
  resource: Resource<T>,
  key: ObjectKey,
  make: (old: Frozen<T> | undefined) => Frozen<T>,
): Promise<void> {
  const old = await client.get(resource, key).catch((error: unknown) => {
    if (isNotFound(error)) return undefined
    throw error
  })
  if (old === undefined) {
    await client.create(resource, make(undefined)).catch((error: unknown) => {
      if (!isAlreadyExists(error)) throw error
    })
    return
  }
  if (resource.kind === services.kind) return
  await client.update(resource, make(old))
}
