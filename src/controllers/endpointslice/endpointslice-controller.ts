import { isIPv6 } from 'node:net'
import { endpointSlices, nodes, pods, services } from '../../api/generated/resources.ts'
import type { Pod, Service } from '../../api/generated/types/core-v1.ts'
import type { EndpointSlice } from '../../api/generated/types/discovery-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { selectsMap } from '../../api/selector/label-selector.ts'
import { annotationsOf, isBeingDeleted, labelsOf, nameOf, namespaceOf } from '../../client/object.ts'
import { messageOf, isNamespaceTerminating } from '../framework/context.ts'
import { defineController, done, requeueAfter, watch, type Outcome } from '../framework/controller.ts'
import { managedByLabel, planSlices, serviceNameLabel, servicesOf, writeSlices } from './managed-slices.ts'
import { endpointGroups, zoneLabel } from './service-endpoints.ts'
import type { PortGroup } from './slice-plan.ts'
import { ServiceMemory, type ServiceContext } from './service-memory.ts'
import { asksForZones, hasClusterIP, headlessLabel, isSelecting, podsOfServices } from './service-pods.ts'
import { cpuShares, isNodeReady, withZoneHints } from './topology-hints.ts'
import { triggerTimeAnnotation } from './trigger-times.ts'

type FrozenService = Frozen<Service>
type Slice = Frozen<EndpointSlice>

const managedBy = 'endpointslice-controller.k8s.io'
const serviceIndex = 'endpointslice/service'

/** Publishes the pods behind each Service as EndpointSlices. */
export const endpointSliceController = defineController<Service, ServiceMemory>({
  name: 'endpointslice-controller',
  reconciles: services,
  watches: [
    podsOfServices,
    watch(endpointSlices, (slice) => servicesOf(slice, managedBy)),
    watch(
      nodes,
      (_node, { informers }) => informers.of(services).list().map(keyFor),
      (node, old) => labelsOf(node)[zoneLabel] !== labelsOf(old)[zoneLabel],
    ),
    // CPUs come and go with nodes.
    watch(
      nodes,
      (_node, { informers }) => informers.of(services).list().filter(asksForZones).map(keyFor),
      (node, old) => isNodeReady(node) !== isNodeReady(old),
    ),
  ],
  events: ['FailedToUpdateEndpointSlices', 'TopologyAwareHintsEnabled', 'TopologyAwareHintsDisabled'],
  parallel: 5,
  memory: () => new ServiceMemory(),
  setup: (c) => c.of(endpointSlices).index(serviceIndex, (slice) => servicesOf(slice, managedBy)),
  reconcile,
  gone: (key, c) => c.memory.forget(key),
})

const keyFor = (service: FrozenService): string => `${namespaceOf(service)}/${nameOf(service)}`

async function reconcile(service: FrozenService, c: ServiceContext): Promise<Outcome> {
  if (!isSelecting(service) || isBeingDeleted(service)) return done
  if (!c.caughtUp(service)) return done
  const key = keyFor(service)
  const waitMs = c.memory.pace.waitMs(key, c.clock.now())
  if (waitMs > 0) return requeueAfter(waitMs)
  const selected = c
    .of(pods)
    .list(namespaceOf(service))
    .filter((pod) => selectsMap(service.spec?.selector, labelsOf(pod)))
  const existing = c
    .of(endpointSlices)
    .by(serviceIndex, key)
    .filter((slice) => !isBeingDeleted(slice))
  c.memory.pace.looked(key, selected.length, c.clock.now())
  const triggered = c.memory.times.next(key, service, selected)
  const syncs = c.metrics.counter('endpoint_slice_controller_syncs', 'Number of EndpointSlice syncs')
  try {
    await bringUpToDate(service, { existing, selected, triggered }, c)
  } catch (error) {
    if (isNamespaceTerminating(error)) return done
    syncs.add({ result: 'error' })
    const message = `Error updating Endpoint Slices for Service ${key}: ${messageOf(error)}`
    c.event(service, 'Warning', 'FailedToUpdateEndpointSlices', message)
    throw error
  }
  syncs.add({ result: 'success' })
  return done
}

/** What is there, and what it is made from. */
interface Seen {
  readonly existing: readonly Slice[]
  readonly selected: readonly Frozen<Pod>[]
  /** When what has changed happened. */
  readonly triggered: string | undefined
}

async function bringUpToDate(
  service: FrozenService,
  { existing, selected, triggered }: Seen,
  c: ServiceContext,
): Promise<void> {
  const addressTypes = addressTypesOf(service)
  for (const slice of existing)
    if (!addressTypes.includes(slice.addressType)) await c.remove(service, endpointSlices, slice)
  const changes = c.metrics.counter('endpoint_slice_controller_changes', 'Number of EndpointSlice changes')
  for (const addressType of addressTypes) {
    const current = existing.filter((slice) => slice.addressType === addressType)
    const groups = endpointGroups(service, addressType, selected, (name) => c.of(nodes).get({ name }))
    const { create, update, remove } = planSlices(
      {
        resource: services,
        owner: service,
        addressType,
        labels: labelsFor(service),
        endpointsMax: c.options.endpointsPerSliceMax,
        emptySlice: true,
      },
      current,
      hintedByZone(service, addressType, { groups, current }, c),
    )
    const stamp = (slice: Slice) => stamped(slice, triggered)
    const writes = { create: create.map(stamp), update: update.map(stamp), remove }
    await writeSlices(service, writes, c, (operation) => changes.add({ operation }))
  }
}

/** The groups with hints for zones where the Service's annotation asks for them, which is told when it begins, ends or cannot be. */
function hintedByZone(
  service: FrozenService,
  addressType: string,
  { groups, current }: { readonly groups: ReadonlyMap<string, PortGroup>; readonly current: readonly Slice[] },
  c: ServiceContext,
): ReadonlyMap<string, PortGroup> {
  const { hinted } = c.memory
  const key = keyFor(service)
  const disabled = (why: string) => {
    hinted.delete(key)
    c.event(service, 'Warning', 'TopologyAwareHintsDisabled', `${why}, addressType: ${addressType}`)
    return groups
  }
  if (!asksForZones(service)) return hinted.has(key) ? disabled('Topology Aware Hints has been disabled') : groups
  const outcome = withZoneHints(groups, current, cpuShares(c.of(nodes).list()))
  if ('problem' in outcome) return disabled(outcome.problem)
  if (!hinted.has(key)) {
    const message = `Topology Aware Hints has been enabled, addressType: ${addressType}`
    c.event(service, 'Normal', 'TopologyAwareHintsEnabled', message)
  }
  hinted.add(key)
  return outcome.groups
}

/** The address families of a Service; its slices have one each. */
function addressTypesOf(service: FrozenService): string[] {
  const families = service.spec?.ipFamilies
  if (families?.length) return [...families]
  if (hasClusterIP(service)) return [isIPv6(service.spec?.clusterIP ?? '') ? 'IPv6' : 'IPv4']
  return ['IPv4', 'IPv6']
}

/** The Service's labels, and those that say whose slice it is. */
function labelsFor(service: FrozenService): Record<string, string> {
  const { [headlessLabel]: _headless, [serviceNameLabel]: _name, [managedByLabel]: _by, ...labels } = labelsOf(service)
  return {
    ...labels,
    ...(!hasClusterIP(service) && { [headlessLabel]: '' }),
    [serviceNameLabel]: nameOf(service),
    [managedByLabel]: managedBy,
  }
}

/** With the time of what caused this write, and without that of what caused an earlier one. */
function stamped(slice: Slice, triggered: string | undefined): Slice {
  const { [triggerTimeAnnotation]: _, ...others } = annotationsOf(slice)
  const annotations = { ...others, ...(triggered && { [triggerTimeAnnotation]: triggered }) }
  return { ...slice, metadata: { ...slice.metadata, annotations } }
}
