import type { Container, Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { specHash } from './spec-hash.ts'

/** The labels by which a runtime's sandboxes and containers say whose they are. Upstream's names, so that either kubelet adopts the other's. */
export const podNameLabel = 'io.kubernetes.pod.name'
export const podNamespaceLabel = 'io.kubernetes.pod.namespace'
export const podUidLabel = 'io.kubernetes.pod.uid'
export const containerNameLabel = 'io.kubernetes.container.name'

/** The annotations from which a container's state is restored when its spec is gone. */
export const hashAnnotation = 'io.kubernetes.container.hash'
export const restartCountAnnotation = 'io.kubernetes.container.restartCount'
export const terminationMessagePathAnnotation = 'io.kubernetes.container.terminationMessagePath'
export const terminationMessagePolicyAnnotation = 'io.kubernetes.container.terminationMessagePolicy'
export const preStopAnnotation = 'io.kubernetes.container.preStopHandler'
export const portsAnnotation = 'io.kubernetes.container.ports'
export const deletionGraceAnnotation = 'io.kubernetes.pod.deletionGracePeriod'
export const terminationGraceAnnotation = 'io.kubernetes.pod.terminationGracePeriod'

/** A sandbox's labels: the pod's own, and whose it is. */
export const sandboxLabels = (pod: Frozen<Pod>): Record<string, string> => ({
  ...pod.metadata.labels,
  [podNameLabel]: pod.metadata.name ?? '',
  [podNamespaceLabel]: pod.metadata.namespace ?? '',
  [podUidLabel]: pod.metadata.uid ?? '',
})

/** A container's labels. */
export const containerLabels = (pod: Frozen<Pod>, container: Frozen<Container>): Record<string, string> => ({
  [podNameLabel]: pod.metadata.name ?? '',
  [podNamespaceLabel]: pod.metadata.namespace ?? '',
  [podUidLabel]: pod.metadata.uid ?? '',
  [containerNameLabel]: container.name,
})

/** A container's annotations: what its end needs to know even when the pod is gone from the API. */
export function containerAnnotations(
  pod: Frozen<Pod>,
  container: Frozen<Container>,
  restartCount: number,
): Record<string, string> {
  const { deletionGracePeriodSeconds } = pod.metadata
  const grace = pod.spec?.terminationGracePeriodSeconds
  return {
    [hashAnnotation]: specHash(container),
    [restartCountAnnotation]: String(restartCount),
    [terminationMessagePathAnnotation]: container.terminationMessagePath ?? '',
    [terminationMessagePolicyAnnotation]: container.terminationMessagePolicy ?? '',
    ...(deletionGracePeriodSeconds !== undefined && { [deletionGraceAnnotation]: String(deletionGracePeriodSeconds) }),
    ...(grace !== undefined && { [terminationGraceAnnotation]: String(grace) }),
    ...(container.lifecycle?.preStop && { [preStopAnnotation]: JSON.stringify(container.lifecycle.preStop) }),
    ...(container.ports?.length && { [portsAnnotation]: JSON.stringify(container.ports) }),
  }
}
