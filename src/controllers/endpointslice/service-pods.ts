import { pods, services } from '../../api/generated/resources.ts'
import type { Pod, Service, ServicePort } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { annotationsOf, isBeingDeleted, labelsOf, nameOf, namespaceOf } from '../../client/object.ts'
import { watch, type Watch } from '../framework/watch.ts'
import { isReady, isTerminal } from '../framework/pod.ts'
import { same } from '../framework/equality.ts'
import { selectsMap } from '../../api/selector/label-selector.ts'

type FrozenPod = Frozen<Pod>
type FrozenService = Frozen<Service>

/** The label of a Service without a cluster address, on what is made for it. */
export const headlessLabel = 'service.kubernetes.io/headless'

/** The Service has an address of its own. */
export const hasClusterIP = (service: FrozenService): boolean =>
  (service.spec?.clusterIP ?? '') !== '' && service.spec?.clusterIP !== 'None'

/** Endpoints are made for it: it selects pods, and is no mere alias. */
export const isSelecting = (service: FrozenService): boolean =>
  service.spec?.selector !== undefined && service.spec.type !== 'ExternalName'

/** The Service wants its endpoints spread over zones, by the annotation that was there before the field `trafficDistribution`. */
export function asksForZones(service: FrozenService): boolean {
  const annotations = annotationsOf(service)
  const mode =
    annotations['service.kubernetes.io/topology-aware-hints'] ?? annotations['service.kubernetes.io/topology-mode']
  return mode === 'Auto' || mode === 'auto'
}

/** A pod may be an endpoint: it has an address, and has not ended. */
export function canBeEndpoint(pod: FrozenPod, withTerminating: boolean): boolean {
  if (isTerminal(pod)) return false
  if (!pod.status?.podIP && !pod.status?.podIPs?.length) return false
  return withTerminating || !isBeingDeleted(pod)
}

/** The pod's name is published in DNS below the Service's. */
export const hasHostname = (pod: FrozenPod, service: FrozenService): boolean =>
  !!pod.spec?.hostname && pod.spec.subdomain === nameOf(service) && namespaceOf(service) === namespaceOf(pod)

/** The pod's port behind a Service's port; undefined when the pod has none of that name. */
export function targetPortOf(pod: FrozenPod, port: Frozen<ServicePort>): number | undefined {
  const target = port.targetPort ?? port.port
  if (typeof target === 'number') return target
  const containers = [
    ...(pod.spec?.containers ?? []),
    ...(pod.spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always'),
  ]
  for (const container of containers) {
    const found = container.ports?.find(
      ({ name, protocol = 'TCP' }) => name === target && protocol === (port.protocol ?? 'TCP'),
    )
    if (found) return found.containerPort
  }
  return undefined
}

/** Wakes the Services that select a pod when something of it changes that endpoints show. */
export const podsOfServices: Watch = watch(
  pods,
  (pod, { informers }) =>
    informers
      .of(services)
      .list(namespaceOf(pod))
      .filter((service) => selectsMap(service.spec?.selector, labelsOf(pod)))
      .map((service) => `${namespaceOf(service)}/${nameOf(service)}`),
  (pod, old) => !same(shown(pod), shown(old)),
)

const shown = (pod: FrozenPod) => [
  isTerminal(pod),
  isReady(pod),
  isBeingDeleted(pod),
  pod.status?.podIPs,
  pod.status?.podIP,
  pod.spec?.nodeName ?? '',
  pod.spec?.hostname ?? '',
  pod.spec?.subdomain ?? '',
  labelsOf(pod),
]
