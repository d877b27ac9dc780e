import { isIPv6 } from 'node:net'
import type { Node, Pod, Service } from '../../api/generated/types/core-v1.ts'
import type { Endpoint, EndpointPort } from '../../api/generated/types/discovery-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { isBeingDeleted, labelsOf, nameOf, namespaceOf, uidOf } from '../../client/object.ts'
import { isReady } from '../framework/pod.ts'
import { asksForZones, canBeEndpoint, hasHostname, targetPortOf } from './service-pods.ts'
import { portsKey, type PortGroup } from './slice-plan.ts'

type FrozenService = Frozen<Service>

/** The label of nodes that endpoints' zones come from. */
export const zoneLabel = 'topology.kubernetes.io/zone'

/** The endpoints that a Service's pods make for one address type, by the ports that they share (`portsKey`): named ports may differ from pod to pod. */
export function endpointGroups(
  service: FrozenService,
  addressType: string,
  selected: readonly Frozen<Pod>[],
  nodeOf: (name: string) => Frozen<Node> | undefined,
): Map<string, PortGroup> {
  const groups = new Map<string, { ports: readonly Frozen<EndpointPort>[]; endpoints: Frozen<Endpoint>[] }>()
  for (const pod of selected) {
    if (!canBeEndpoint(pod, true)) continue
    const ports = portsFor(service, pod)
    const key = portsKey(ports)
    const group = groups.get(key) ?? { ports, endpoints: [] }
    const node = nodeOf(pod.spec?.nodeName ?? '')
    // A pod whose node is gone will be gone soon.
    const known = node !== undefined || service.spec?.publishNotReadyAddresses
    const endpoint = endpointOf(service, pod, node, addressType)
    if (endpoint.addresses.length > 0 && known) group.endpoints.push(endpoint)
    if (endpoint.addresses.length > 0 || groups.has(key) || known) groups.set(key, group)
  }
  return groups
}

function portsFor(service: FrozenService, pod: Frozen<Pod>): Frozen<EndpointPort>[] {
  return (service.spec?.ports ?? []).flatMap((port) => {
    const target = targetPortOf(pod, port)
    if (target === undefined) return []
    return [
      {
        name: port.name ?? '',
        port: target,
        protocol: port.protocol ?? 'TCP',
        ...(port.appProtocol !== undefined && { appProtocol: port.appProtocol }),
      },
    ]
  })
}

function endpointOf(
  service: FrozenService,
  pod: Frozen<Pod>,
  node: Frozen<Node> | undefined,
  addressType: string,
): Frozen<Endpoint> {
  const serving = isReady(pod)
  const terminating = isBeingDeleted(pod)
  const ready = (service.spec?.publishNotReadyAddresses ?? false) || (serving && !terminating)
  const ips = pod.status?.podIPs?.map(({ ip }) => ip) ?? [pod.status?.podIP ?? '']
  const zone = node && labelsOf(node)[zoneLabel]
  const nodeName = pod.spec?.nodeName
  const hints = hintsFor(service, { zone, nodeName, ready })
  return {
    addresses: ips.filter((ip) => ip !== '' && isIPv6(ip) === (addressType === 'IPv6')),
    conditions: { ready, serving, terminating },
    ...(hasHostname(pod, service) && pod.spec?.hostname !== undefined && { hostname: pod.spec.hostname }),
    targetRef: { kind: 'Pod', namespace: namespaceOf(pod), name: nameOf(pod), uid: uidOf(pod) },
    ...(nodeName && { nodeName }),
    ...(zone && { zone }),
    ...(hints && { hints }),
  }
}

/** Where traffic should rather come from, when the Service's spec asks to keep it near. */
function hintsFor(
  service: FrozenService,
  { zone, nodeName, ready }: { zone: string | undefined; nodeName: string | undefined; ready: boolean },
): Frozen<Endpoint>['hints'] {
  const distribution = service.spec?.trafficDistribution
  if (
    !ready ||
    asksForZones(service) ||
    !distribution ||
    !['PreferClose', 'PreferSameZone', 'PreferSameNode'].includes(distribution)
  )
    return undefined
  const hints = {
    ...(zone && { forZones: [{ name: zone }] }),
    ...(distribution === 'PreferSameNode' && nodeName && { forNodes: [{ name: nodeName }] }),
  }
  return Object.keys(hints).length > 0 ? hints : undefined
}
