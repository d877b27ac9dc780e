import { isIPv6 } from 'node:net'
import { isNotFound } from '../../api/errors/api-error.ts'
import { endpoints, pods, services } from '../../api/generated/resources.ts'
import type { EndpointAddress, EndpointPort, Endpoints, Pod, Service } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { annotationsOf, isBeingDeleted, labelsOf, nameOf, namespaceOf, uidOf } from '../../client/object.ts'
import { ServiceMemory, type ServiceContext } from '../endpointslice/service-memory.ts'
import {
  canBeEndpoint,
  hasClusterIP,
  hasHostname,
  headlessLabel,
  isSelecting,
  podsOfServices,
  targetPortOf,
} from '../endpointslice/service-pods.ts'
import { triggerTimeAnnotation } from '../endpointslice/trigger-times.ts'
import { isNamespaceTerminating, messageOf } from '../framework/context.ts'
import { defineController, done, requeueAfter, watch, type Outcome } from '../framework/controller.ts'
import { same } from '../framework/equality.ts'
import { isReady } from '../framework/pod.ts'
import { selectsMap } from '../../api/selector/label-selector.ts'
import { subsetsOf, truncated, type Reachable } from './subsets.ts'

type FrozenService = Frozen<Service>

const managedByLabel = 'endpoints.kubernetes.io/managed-by'
const overCapacityAnnotation = 'endpoints.kubernetes.io/over-capacity'
/** Addresses in one Endpoints object: more are only in EndpointSlices. */
const capacity = 1000

/** Publishes the pods behind each Service as an Endpoints object, for those who do not read EndpointSlices yet. */
export const endpointsController = defineController<Service, ServiceMemory>({
  name: 'endpoints-controller',
  component: 'endpoint-controller',
  reconciles: services,
  watches: [podsOfServices, watch(endpoints, (object) => [`${namespaceOf(object)}/${nameOf(object)}`])],
  events: ['FailedToCreateEndpoint', 'FailedToUpdateEndpoint'],
  parallel: 5,
  memory: () => new ServiceMemory(),
  reconcile,
  gone,
})

async function reconcile(service: FrozenService, c: ServiceContext): Promise<Outcome> {
  if (!isSelecting(service) || isBeingDeleted(service) || !c.caughtUp(service)) return done
  const key = { namespace: namespaceOf(service), name: nameOf(service) }
  const id = `${key.namespace}/${key.name}`
  const waitMs = c.memory.pace.waitMs(id, c.clock.now())
  if (waitMs > 0) return requeueAfter(waitMs)
  const selected = c
    .of(pods)
    .list(key.namespace)
    .filter((pod) => selectsMap(service.spec?.selector, labelsOf(pod)))
  c.memory.pace.looked(id, selected.length, c.clock.now())
  const triggered = c.memory.times.next(id, service, selected)
  const current = c.of(endpoints).get(key)
  const wanted = endpointsFor(service, selected, current, triggered)
  if (
    current &&
    same(wanted.subsets, current.subsets) &&
    same(wanted.metadata.labels, labelsOf(current)) &&
    annotationsOf(wanted)[overCapacityAnnotation] === annotationsOf(current)[overCapacityAnnotation]
  )
    return done
  try {
    c.wrote(
      service,
      endpoints,
      current ? await c.client.update(endpoints, wanted) : await c.client.create(endpoints, wanted),
    )
  } catch (error) {
    if (isNamespaceTerminating(error)) return done
    const text = `${key.namespace}/${key.name}: ${messageOf(error)}`
    if (current) c.event(service, 'Warning', 'FailedToUpdateEndpoint', `Failed to update endpoint ${text}`)
    else c.event(service, 'Warning', 'FailedToCreateEndpoint', `Failed to create endpoint for service ${text}`)
    throw error
  }
  return done
}

/** The Endpoints that a Service should have. */
export function endpointsFor(
  service: FrozenService,
  selected: readonly Frozen<Pod>[],
  current: Frozen<Endpoints> | undefined,
  triggered: string | undefined,
): Frozen<Endpoints> {
  const all = subsetsOf(selected.flatMap((pod) => reachableAt(service, pod)))
  const cut = truncated(all, capacity)
  const {
    [triggerTimeAnnotation]: _time,
    [overCapacityAnnotation]: _over,
    ...annotations
  } = current ? annotationsOf(current) : {}
  const { [headlessLabel]: _headless, ...labels } = labelsOf(service)
  return {
    apiVersion: 'v1',
    kind: 'Endpoints',
    metadata: {
      ...(current?.metadata ?? { name: nameOf(service), namespace: namespaceOf(service) }),
      labels: {
        ...labels,
        ...(!hasClusterIP(service) && { [headlessLabel]: '' }),
        [managedByLabel]: 'endpoint-controller',
      },
      annotations: {
        ...annotations,
        ...(triggered && { [triggerTimeAnnotation]: triggered }),
        ...(cut && { [overCapacityAnnotation]: 'truncated' }),
      },
    },
    subsets: cut ?? all,
  }
}

function reachableAt(service: FrozenService, pod: Frozen<Pod>): Reachable[] {
  const published = service.spec?.publishNotReadyAddresses ?? false
  if (!canBeEndpoint(pod, published)) return []
  const ip = addressFor(service, pod)
  if (ip === undefined) return []
  const address: Frozen<EndpointAddress> = {
    ip,
    ...(hasHostname(pod, service) && pod.spec?.hostname !== undefined && { hostname: pod.spec.hostname }),
    ...(pod.spec?.nodeName && { nodeName: pod.spec.nodeName }),
    targetRef: { kind: 'Pod', namespace: namespaceOf(pod), name: nameOf(pod), uid: uidOf(pod) },
  }
  const ready = published || isReady(pod)
  const ports = service.spec?.ports ?? []
  if (ports.length === 0) return hasClusterIP(service) ? [] : [{ address, port: undefined, ready }]
  return ports.flatMap((port) => {
    const target = targetPortOf(pod, port)
    if (target === undefined) return []
    const reached: Frozen<EndpointPort> = {
      ...(port.name && { name: port.name }),
      port: target,
      protocol: port.protocol ?? 'TCP',
      ...(port.appProtocol !== undefined && { appProtocol: port.appProtocol }),
    }
    return [{ address, port: reached, ready }]
  })
}

/** The pod's address of the Service's first family. */
function addressFor(service: FrozenService, pod: Frozen<Pod>): string | undefined {
  const family = service.spec?.ipFamilies?.[0] ?? (isIPv6(service.spec?.clusterIP ?? '') ? 'IPv6' : 'IPv4')
  const ips = pod.status?.podIPs?.map(({ ip }) => ip) ?? [pod.status?.podIP ?? '']
  return ips.find((ip) => ip !== '' && isIPv6(ip) === (family === 'IPv6'))
}

/** The Service is gone; Endpoints have no owner reference, so nobody else deletes them. */
async function gone(key: string, c: ServiceContext): Promise<void> {
  c.memory.forget(key)
  const object = c.of(endpoints).byKey(key)
  // Without the label it may be somebody else's, leader election's for one.
  if (!object || labelsOf(object)[managedByLabel] !== 'endpoint-controller') return
  try {
    await c.client.delete(endpoints, { namespace: namespaceOf(object), name: nameOf(object) }, { uid: uidOf(object) })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}
