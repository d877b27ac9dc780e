import { isIPv6 } from 'node:net'
import { endpointSlices, endpoints, services } from '../../api/generated/resources.ts'
import type { EndpointAddress, Endpoints } from '../../api/generated/types/core-v1.ts'
import type { Endpoint, EndpointSlice } from '../../api/generated/types/discovery-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import {
  annotationsOf,
  controllerReference,
  isBeingDeleted,
  isControlledBy,
  labelsOf,
  nameOf,
  namespaceOf,
} from '../../client/object.ts'
import { managedByLabel, serviceNameLabel } from '../endpointslice/endpointslice-controller.ts'
import { triggerTimeAnnotation } from '../endpointslice/service-pods.ts'
import { planGroup, portsKey, type PortGroup } from '../endpointslice/slice-plan.ts'
import { isNamespaceTerminating, messageOf } from '../framework/context.ts'
import { defineController, done, watch, type Context, type Outcome } from '../framework/controller.ts'
import { same } from '../framework/equality.ts'

type FrozenEndpoints = Frozen<Endpoints>
type Slice = Frozen<EndpointSlice>
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
    watch(endpointSlices, (slice) => (labelsOf(slice)[managedByLabel] === managedBy ? [keyOf(slice)] : [])),
  ],
  events: ['FailedToUpdateEndpointSlices', 'InvalidIPAddress', 'SkippedAddress'],
  parallel: 5,
  setup: (c) =>
    c.of(endpointSlices).index(index, (slice) => (labelsOf(slice)[managedByLabel] === managedBy ? [keyOf(slice)] : [])),
  reconcile,
  gone: (key, c) => removeAll(undefined, key, c),
})

const keyOf = (slice: Slice): string => `${namespaceOf(slice)}/${labelsOf(slice)[serviceNameLabel] ?? ''}`

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
    await carryOut(
      object,
      c
        .of(endpointSlices)
        .by(index, key)
        .filter((slice) => !isBeingDeleted(slice)),
      c,
    )
  } catch (error) {
    if (isNamespaceTerminating(error)) return done
    c.event(
      object,
      'Warning',
      'FailedToUpdateEndpointSlices',
      `Error updating Endpoint Slices for Endpoints ${key}: ${messageOf(error)}`,
    )
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

async function carryOut(object: FrozenEndpoints, existing: readonly Slice[], c: C): Promise<void> {
  const { create, update, remove } = decide(object, existing)
  for (const slice of create) c.wrote(object, endpointSlices, await c.client.create(endpointSlices, slice))
  for (const slice of update) c.wrote(object, endpointSlices, await c.client.update(endpointSlices, slice))
  for (const slice of remove) await c.remove(object, endpointSlices, slice)
}

/** What to write so that the slices say what the Endpoints say. */
export function decide(
  object: FrozenEndpoints,
  existing: readonly Slice[],
): { create: Slice[]; update: Slice[]; remove: Slice[] } {
  const own = existing.filter((slice) => isControlledBy(slice, object))
  const remove = existing.filter((slice) => !isControlledBy(slice, object))
  const create: Slice[] = []
  const update: Slice[] = []
  const used = new Set<Slice>()
  for (const [id, { addressType, group }] of groupsOf(object)) {
    const candidates = own.filter((slice) => `${slice.addressType} ${portsKey(slice.ports)}` === id)
    candidates.forEach((slice) => used.add(slice))
    const plan = planGroup(candidates, group, perSliceMax)
    create.push(...plan.create.map((content) => newSlice(object, addressType, content)))
    update.push(...plan.update)
    remove.push(...plan.remove)
  }
  remove.push(...own.filter((slice) => !used.has(slice)))
  const { labels, annotations } = metadataFor(object)
  const stale = own.filter(
    (slice) =>
      !remove.includes(slice) &&
      !update.some((changed) => nameOf(changed) === nameOf(slice)) &&
      !(same(labels, labelsOf(slice)) && same(annotations, annotationsOf(slice))),
  )
  return {
    create,
    remove,
    update: [...update, ...stale].map((slice) => ({ ...slice, metadata: { ...slice.metadata, labels, annotations } })),
  }
}

function groupsOf(object: FrozenEndpoints): Map<string, { addressType: string; group: PortGroup }> {
  const groups = new Map<
    string,
    { addressType: string; group: { ports: PortGroup['ports']; endpoints: Frozen<Endpoint>[] } }
  >()
  for (const subset of object.subsets ?? []) {
    const ports = (subset.ports ?? []).map((port) => ({
      name: port.name ?? '',
      port: port.port,
      protocol: port.protocol ?? 'TCP',
      ...(port.appProtocol !== undefined && { appProtocol: port.appProtocol }),
    }))
    const all = [
      ...(subset.addresses ?? []).map((address) => ({ address, ready: true })),
      ...(subset.notReadyAddresses ?? []).map((address) => ({ address, ready: false })),
    ]
    for (const { address, ready } of all.slice(0, perSubsetMax)) {
      const addressType = isIPv6(address.ip) ? 'IPv6' : 'IPv4'
      const id = `${addressType} ${portsKey(ports)}`
      const entry = groups.get(id) ?? { addressType, group: { ports, endpoints: [] } }
      entry.group.endpoints.push(endpointOf(address, ready))
      groups.set(id, entry)
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

function newSlice(object: FrozenEndpoints, addressType: string, { ports, endpoints: list }: PortGroup): Slice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      generateName: `${nameOf(object)}-`,
      namespace: namespaceOf(object),
      ...metadataFor(object),
      ownerReferences: [controllerReference(endpoints, object)],
    },
    addressType,
    ports,
    endpoints: list,
  }
}
