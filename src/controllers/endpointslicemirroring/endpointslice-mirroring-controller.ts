import { isIPv6 } from 'node:net'
import { endpointSlices, endpoints, services } from '../../api/generated/resources.ts'
import type { EndpointAddress, Endpoints } from '../../api/generated/types/core-v1.ts'
import type { Endpoint } from '../../api/generated/types/discovery-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { annotationsOf, isBeingDeleted, labelsOf, nameOf, namespaceOf } from '../../client/object.ts'
import {
  managedByLabel,
  planSlices,
  serviceNameLabel,
  servicesOf,
  writeSlices,
} from '../endpointslice/managed-slices.ts'
import { portsKey, type PortGroup } from '../endpointslice/slice-plan.ts'
import { triggerTimeAnnotation } from '../endpointslice/trigger-times.ts'
import { isNamespaceTerminating, messageOf } from '../framework/context.ts'
import { defineController, done, watch, type Context, type Outcome } from '../framework/controller.ts'

type FrozenEndpoints = Frozen<Endpoints>
type C = Context<Endpoints>

const managedBy = 'endpointslicemirroring-controller.k8s.io'
const skipLabel = 'endpointslice.kubernetes.io/skip-mirror'
const leaderAnnotation = 'control-plane.alpha.kubernetes.io/leader'
const lastAppliedAnnotation = 'kubectl.kubernetes.io/last-applied-configuration'
const index = 'endpointslicemirroring/service'
/** Addresses of a subset that are mirrored, and of a slice. */
const perSubsetMax = 1000
const perSliceMax = 1000

/** Mirrors Endpoints that people or programs wrote themselves into EndpointSlices, since that is all that proxies read. */
export const endpointSliceMirroringController = defineController<Endpoints>({
  name: 'endpointslice-mirroring-controller',
  reconciles: endpoints,
  watches: [
    watch(services, (service) => [`${namespaceOf(service)}/${nameOf(service)}`]),
    watch(endpointSlices, (slice) => servicesOf(slice, managedBy)),
  ],
  events: ['FailedToUpdateEndpointSlices', 'TooManyAddressesToMirror'],
  parallel: 5,
  setup: (c) => c.of(endpointSlices).index(index, (slice) => servicesOf(slice, managedBy)),
  reconcile,
  gone: (key, c) => removeAll(undefined, key, c),
})

async function reconcile(object: FrozenEndpoints, c: C): Promise<Outcome> {
  const key = `${namespaceOf(object)}/${nameOf(object)}`
  if (!c.caughtUp(object)) return done
  const service = c.of(services).byKey(key)
  const mirrored =
    service !== undefined &&
    service.spec?.selector === undefined &&
    !isBeingDeleted(object) &&
    labelsOf(object)[skipLabel] !== 'true' &&
    annotationsOf(object)[leaderAnnotation] === undefined
  if (!mirrored) {
    await removeAll(object, key, c)
    return done
  }
  try {
    await bringUpToDate(object, key, c)
  } catch (error) {
    if (isNamespaceTerminating(error)) return done
    const message = `Error updating Endpoint Slices for Endpoints ${key}: ${messageOf(error)}`
    c.event(object, 'Warning', 'FailedToUpdateEndpointSlices', message)
    throw error
  }
  return done
}

async function removeAll(object: FrozenEndpoints | undefined, key: string, c: C): Promise<void> {
  for (const slice of c.of(endpointSlices).by(index, key)) {
    if (object) await c.remove(object, endpointSlices, slice)
    else await c.client.delete(endpointSlices, { namespace: namespaceOf(slice), name: nameOf(slice) })
  }
}

async function bringUpToDate(object: FrozenEndpoints, key: string, c: C): Promise<void> {
  const skipped = skippedOf(object)
  if (skipped > 0)
    c.event(
      object,
      'Warning',
      'TooManyAddressesToMirror',
      `A max of ${perSubsetMax} addresses can be mirrored to EndpointSlices per Endpoints subset. ${skipped} addresses were skipped`,
    )
  const existing = c
    .of(endpointSlices)
    .by(index, key)
    .filter((slice) => !isBeingDeleted(slice))
  for (const addressType of ['IPv4', 'IPv6']) {
    const writes = planSlices(
      {
        resource: endpoints,
        owner: object,
        addressType,
        ...metadataFor(object),
        endpointsMax: perSliceMax,
        emptySlice: false,
      },
      existing.filter((slice) => slice.addressType === addressType),
      endpointGroups(object, addressType),
    )
    await writeSlices(object, writes, c)
  }
}

/** How many addresses are too many to be mirrored. */
const skippedOf = ({ subsets = [] }: FrozenEndpoints): number =>
  subsets.reduce(
    (sum, { addresses = [], notReadyAddresses = [] }) =>
      sum + Math.max(0, addresses.length + notReadyAddresses.length - perSubsetMax),
    0,
  )

/** The object's addresses of one type, by the ports that they share (`portsKey`). */
function endpointGroups(object: FrozenEndpoints, addressType: string): Map<string, PortGroup> {
  const groups = new Map<string, { readonly ports: PortGroup['ports']; readonly endpoints: Frozen<Endpoint>[] }>()
  for (const subset of object.subsets ?? []) {
    const ports = (subset.ports ?? []).map((port) => ({
      name: port.name ?? '',
      port: port.port,
      protocol: port.protocol ?? 'TCP',
      ...(port.appProtocol !== undefined && { appProtocol: port.appProtocol }),
    }))
    const key = portsKey(ports)
    const all = [
      ...(subset.addresses ?? []).map((address) => ({ address, ready: true })),
      ...(subset.notReadyAddresses ?? []).map((address) => ({ address, ready: false })),
    ]
    for (const { address, ready } of all.slice(0, perSubsetMax)) {
      if (isIPv6(address.ip) !== (addressType === 'IPv6')) continue
      const group = groups.get(key) ?? { ports, endpoints: [] }
      group.endpoints.push(endpointOf(address, ready))
      groups.set(key, group)
    }
  }
  return groups
}

function endpointOf({ ip, hostname, nodeName, targetRef }: Frozen<EndpointAddress>, ready: boolean): Frozen<Endpoint> {
  return {
    addresses: [ip],
    conditions: { ready },
    ...(hostname && { hostname }),
    ...(nodeName && { nodeName }),
    ...(targetRef && { targetRef }),
  }
}

function metadataFor(object: FrozenEndpoints): { labels: Record<string, string>; annotations: Record<string, string> } {
  const { [lastAppliedAnnotation]: _applied, [triggerTimeAnnotation]: _time, ...annotations } = annotationsOf(object)
  return {
    labels: { ...labelsOf(object), [serviceNameLabel]: nameOf(object), [managedByLabel]: managedBy },
    annotations,
  }
}
