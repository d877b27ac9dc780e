import { endpoints, endpointSlices, serviceCIDRs, services } from '../../api/generated/resources.ts'
import type { Resource } from '../../api/resource.ts'
import { normalise } from '../../api/schema/decode.ts'
import type { Draft } from '../registry/resource-storage.ts'
import { familyOf, IpRange } from '../services/ip-range.ts'
import { timeText } from '../../api/schema/times.ts'
import type { Bootstrapping } from './bootstrap.ts'
import { ensureObject } from './ensure-object.ts'

/** The ranges that the server was started with, as an object. */
export async function ensureServiceCidr({ core, kinds, serviceRanges }: Bootstrapping): Promise<void> {
  const status = {
    conditions: [
      {
        type: 'Ready',
        status: 'True',
        lastTransitionTime: timeText(core.clock.now()),
        reason: '',
        message: 'Kubernetes default Service CIDR is ready',
      },
    ],
  }
  await ensureObject(core, kinds.byResource(serviceCIDRs.group, serviceCIDRs.version, serviceCIDRs.plural)!, {
    metadata: { name: 'kubernetes' },
    spec: { cidrs: serviceRanges },
    status,
  })
}

/** The Service by which pods reach the API, and its endpoints: this server. */
export async function ensureKubernetesService({
  core,
  kinds,
  options,
  ips,
  serviceRanges,
}: Bootstrapping): Promise<void> {
  const clusterIp = IpRange.parse(serviceRanges[0]!).at(0n)
  const port = options.advertisePort ?? 6443
  const family = familyOf(clusterIp)
  const kind = (resource: Resource) => kinds.byResource(resource.group, resource.version, resource.plural)!
  if (!core.registry.get(services, { namespace: 'default', name: 'kubernetes' })) {
    await ips.claim(clusterIp, { namespace: 'default', name: 'kubernetes' }, false).catch(() => undefined)
    await ensureObject(core, kind(services), {
      metadata: {
        name: 'kubernetes',
        namespace: 'default',
        labels: { component: 'apiserver', provider: 'kubernetes' },
      },
      spec: {
        ports: [{ name: 'https', protocol: 'TCP', port: 443, targetPort: port }],
        clusterIP: clusterIp,
        clusterIPs: [clusterIp],
        type: 'ClusterIP',
        sessionAffinity: 'None',
        ipFamilies: [family],
        ipFamilyPolicy: 'SingleStack',
        internalTrafficPolicy: 'Cluster',
      },
      status: { loadBalancer: {} },
    })
  }
  if (options.advertiseAddress === undefined) return
  await put(core, endpoints, {
    metadata: {
      name: 'kubernetes',
      namespace: 'default',
      labels: { 'endpointslice.kubernetes.io/skip-mirror': 'true' },
    },
    subsets: [{ addresses: [{ ip: options.advertiseAddress }], ports: [{ name: 'https', port, protocol: 'TCP' }] }],
  })
  await put(core, endpointSlices, {
    metadata: { name: 'kubernetes', namespace: 'default', labels: { 'kubernetes.io/service-name': 'kubernetes' } },
    addressType: familyOf(options.advertiseAddress),
    endpoints: [{ addresses: [options.advertiseAddress], conditions: { ready: true } }],
    ports: [{ name: 'https', port, protocol: 'TCP' }],
  })
}

/** Stores an object of the server's own, over what there may be of an earlier run. */
async function put<T extends { readonly metadata: { readonly name: string; readonly namespace: string } }>(
  core: Bootstrapping['core'],
  resource: Resource,
  object: T,
): Promise<void> {
  const storage = core.registry.storageOfResource(resource)!
  const { namespace, name } = object.metadata
  await storage.change(storage.keyOf(namespace, name), (current) => {
    const metadata = current
      ? { ...current.object.metadata, ...object.metadata }
      : {
          ...object.metadata,
          uid: core.random.uuid(),
          creationTimestamp: timeText(core.clock.now()),
          resourceVersion: '0',
          ...(storage.kind.behaviour.generation !== false && { generation: 1 }),
        }
    const draft = normalise(storage.kind.schema, {
      ...object,
      apiVersion: resource.group ? `${resource.group}/${resource.version}` : resource.version,
      kind: resource.kind,
      metadata,
    }) as unknown as Draft
    if (current && JSON.stringify(draft) === JSON.stringify(current.object)) return { action: 'keep' }
    return { action: 'write', draft }
  })
}
