import { isIPv6 } from 'node:net'
import { endpointSlices, nodes, pods, services } from '../../api/generated/resources.ts'
import type { Node, Pod, Service } from '../../api/generated/types/core-v1.ts'
import type { Endpoint, EndpointPort, EndpointSlice } from '../../api/generated/types/discovery-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import {
  annotationsOf,
  controllerReference,
  isBeingDeleted,
  isControlledBy,
  labelsOf,
  nameOf,
  namespaceOf,
  uidOf,
} from '../../client/object.ts'
import { messageOf, isNamespaceTerminating } from '../framework/context.ts'
import { defineController, done, requeueAfter, watch, type Context, type Outcome } from '../framework/controller.ts'
import { same } from '../framework/equality.ts'
import { isReady } from '../framework/pod.ts'
import { selectsMap } from '../../api/selector/label-selector.ts'
import {
  canBeEndpoint,
  hasClusterIP,
  hasHostname,
  headlessLabel,
  isSelecting,
  Pace,
  podsOfServices,
  targetPortOf,
  triggerTimeAnnotation,
  TriggerTimes,
} from './service-pods.ts'
import { planGroup, portsKey, type PortGroup } from './slice-plan.ts'

type FrozenService = Frozen<Service>
type Slice = Frozen<EndpointSlice>
type C = Context<Service>

/** Labels of EndpointSlices. */
export const serviceNameLabel = 'kubernetes.io/service-name'
export const managedByLabel = 'endpointslice.kubernetes.io/managed-by'
const managedBy = 'endpointslice-controller.k8s.io'
const zoneLabel = 'topology.kubernetes.io/zone'
const serviceIndex = 'endpointslice/service'

const states = new WeakMap<object, { readonly times: TriggerTimes; readonly pace: Pace }>()

/** Publishes the pods behind each Service as EndpointSlices. */
export const endpointSliceController = defineController<Service>({
  name: 'endpointslice-controller',
  reconciles: services,
  watches: [
    podsOfServices,
    watch(endpointSlices, (slice) => (labelsOf(slice)[managedByLabel] === managedBy ? [serviceKeyOf(slice)] : [])),
    watch(
      nodes,
      (_node, { informers }) =>
        informers
          .of(services)
          .list()
          .map((service) => `${namespaceOf(service)}/${nameOf(service)}`),
      (node, old) => labelsOf(node)[zoneLabel] !== labelsOf(old)[zoneLabel],
    ),
  ],
  events: ['FailedToUpdateEndpointSlices'],
  parallel: 5,
  setup(c) {
    c.of(endpointSlices).index(serviceIndex, (slice) =>
      labelsOf(slice)[managedByLabel] === managedBy ? [serviceKeyOf(slice)] : [],
    )
    states.set(c, { times: new TriggerTimes(), pace: new Pace() })
  },
  reconcile,
  gone(key, c) {
    states.get(c)?.times.forget(key)
    states.get(c)?.pace.forget(key)
  },
})

const serviceKeyOf = (slice: Slice): string => `${namespaceOf(slice)}/${labelsOf(slice)[serviceNameLabel] ?? ''}`

async function reconcile(service: FrozenService, c: C): Promise<Outcome> {
  if (!isSelecting(service) || isBeingDeleted(service)) return done
  if (!c.caughtUp(service)) return done
  const key = `${namespaceOf(service)}/${nameOf(service)}`
  const state = states.get(c)
  const waitMs = state?.pace.waitMs(key, c.clock.now()) ?? 0
  if (waitMs > 0) return requeueAfter(waitMs)
  const selected = c
    .of(pods)
    .list(namespaceOf(service))
    .filter((pod) => selectsMap(service.spec?.selector, labelsOf(pod)))
  const existing = c
    .of(endpointSlices)
    .by(serviceIndex, key)
    .filter((slice) => !isBeingDeleted(slice))
  state?.pace.looked(key, selected.length, c.clock.now())
  const triggered = state?.times.next(key, service, selected)
  const families = addressTypesOf(service)
  try {
    for (const slice of existing)
      if (!families.includes(slice.addressType)) await c.remove(service, endpointSlices, slice)
    for (const family of families) {
      const plan = decide(
        service,
        family,
        existing.filter(({ addressType }) => addressType === family),
        selected,
        (name) => c.of(nodes).get({ name }),
        c.options.endpointsPerSliceMax,
      )
      await carryOut(service, plan, triggered, c)
    }
  } catch (error) {
    if (isNamespaceTerminating(error)) return done
    syncs(c).add({ result: 'error' })
    c.event(
      service,
      'Warning',
      'FailedToUpdateEndpointSlices',
      `Error updating Endpoint Slices for Service ${key}: ${messageOf(error)}`,
    )
    throw error
  }
  syncs(c).add({ result: 'success' })
  return done
}

const syncs = (c: C) => c.metrics.counter('endpoint_slice_controller_syncs', 'Number of EndpointSlice syncs')

/** The address families of a Service; its slices have one each. */
function addressTypesOf(service: FrozenService): string[] {
  const families = service.spec?.ipFamilies
  if (families?.length) return [...families]
  if (hasClusterIP(service)) return [isIPv6(service.spec?.clusterIP ?? '') ? 'IPv6' : 'IPv4']
  return ['IPv4', 'IPv6']
}

interface Plan {
  readonly create: readonly Slice[]
  readonly update: readonly Slice[]
  readonly remove: readonly Slice[]
}

/** What to write for one address family. */
export function decide(
  service: FrozenService,
  addressType: string,
  existing: readonly Slice[],
  selected: readonly Frozen<Pod>[],
  nodeOf: (name: string) => Frozen<Node> | undefined,
  most: number,
): Plan {
  const own = existing.filter((slice) => isControlledBy(slice, service))
  const remove = existing.filter((slice) => !isControlledBy(slice, service))
  const create: Slice[] = []
  const update: Slice[] = []
  const groups = groupByPorts(service, addressType, selected, nodeOf)
  for (const [key, group] of groups) {
    const plan = planGroup(
      own.filter((slice) => portsKey(slice.ports) === key),
      group,
      most,
    )
    create.push(...plan.create.map((content) => newSlice(service, addressType, content)))
    update.push(...plan.update)
    remove.push(...plan.remove)
  }
  remove.push(...own.filter((slice) => !groups.has(portsKey(slice.ports))))
  const kept = own.filter((slice) => !remove.includes(slice))
  // A Service without endpoints has an empty slice: so that it can be told from one that nobody looked at yet.
  if (kept.length === 0 && create.length === 0) {
    const placeholder = remove.find(
      (slice) => isControlledBy(slice, service) && !slice.ports?.length && !slice.endpoints?.length,
    )
    if (placeholder) remove.splice(remove.indexOf(placeholder), 1)
    else create.push(newSlice(service, addressType, { ports: [], endpoints: [] }))
    if (placeholder) kept.push(placeholder)
  }
  const labels = labelsFor(service)
  const relabeled = kept.filter(
    (slice) => !update.some((changed) => uidOf(changed) === uidOf(slice)) && !same(labels, labelsOf(slice)),
  )
  return {
    create,
    remove,
    update: [...update, ...relabeled].map((slice) => ({ ...slice, metadata: { ...slice.metadata, labels } })),
  }
}

function groupByPorts(
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

/** Where traffic should rather come from, when the Service asks to keep it near. */
function hintsFor(
  service: FrozenService,
  { zone, nodeName, ready }: { zone: string | undefined; nodeName: string | undefined; ready: boolean },
): Frozen<Endpoint>['hints'] {
  const distribution = service.spec?.trafficDistribution
  if (!ready || !distribution || !['PreferClose', 'PreferSameZone', 'PreferSameNode'].includes(distribution))
    return undefined
  const hints = {
    ...(zone && { forZones: [{ name: zone }] }),
    ...(distribution === 'PreferSameNode' && nodeName && { forNodes: [{ name: nodeName }] }),
  }
  return Object.keys(hints).length > 0 ? hints : undefined
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

function newSlice(service: FrozenService, addressType: string, { ports, endpoints }: PortGroup): Slice {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      generateName: `${nameOf(service)}-`,
      namespace: namespaceOf(service),
      labels: labelsFor(service),
      ownerReferences: [controllerReference(services, service)],
    },
    addressType,
    ports,
    endpoints,
  }
}

async function carryOut(
  service: FrozenService,
  { create, update, remove }: Plan,
  triggered: string | undefined,
  c: C,
): Promise<void> {
  const stamped = (slice: Slice): Slice => {
    const { [triggerTimeAnnotation]: _, ...annotations } = annotationsOf(slice)
    return {
      ...slice,
      metadata: {
        ...slice.metadata,
        annotations: { ...annotations, ...(triggered && { [triggerTimeAnnotation]: triggered }) },
      },
    }
  }
  const changes = c.metrics.counter('endpoint_slice_controller_changes', 'Number of EndpointSlice changes')
  for (const slice of create) {
    c.wrote(service, endpointSlices, await c.client.create(endpointSlices, stamped(slice)))
    changes.add({ operation: 'create' })
  }
  for (const slice of update) {
    c.wrote(service, endpointSlices, await c.client.update(endpointSlices, stamped(slice)))
    changes.add({ operation: 'update' })
  }
  for (const slice of remove) {
    await c.remove(service, endpointSlices, slice)
    changes.add({ operation: 'delete' })
  }
}
