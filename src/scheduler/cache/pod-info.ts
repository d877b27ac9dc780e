import type { Frozen } from '../../api/resource.ts'
import type { Pod } from '../../api/generated/types/core-v1.ts'
import { affinityTerm, weightedTerms, type AffinityTerm, type NamespaceLabels } from './affinity-term.ts'
import { podRequests, type Resources } from './resources.ts'

/** A port of the node that a Pod takes. */
export interface HostPort {
  readonly ip: string
  readonly protocol: string
  readonly port: number
}

/** A Pod with everything that scheduling asks of it, worked out once. */
export interface PodInfo {
  readonly pod: Frozen<Pod>
  /** 'namespace/name' */
  readonly key: string
  readonly uid: string
  readonly priority: number
  readonly requests: Resources
  /** With upstream's assumptions for containers that ask for nothing. */
  readonly scoringRequests: Resources
  readonly hostPorts: readonly HostPort[]
  readonly requiredAffinity: readonly AffinityTerm[]
  readonly requiredAntiAffinity: readonly AffinityTerm[]
  readonly preferredAffinity: readonly AffinityTerm[]
  readonly preferredAntiAffinity: readonly AffinityTerm[]
  /** Equal for Pods that every node-local plugin treats alike. */
  readonly signature: string
}

/** 'namespace/name' of a Pod. */
export const podKey = (pod: Frozen<Pod>): string => `${pod.metadata.namespace}/${pod.metadata.name}`

/** A Pod that does no longer take resources. */
export const isFinished = (pod: Frozen<Pod>): boolean =>
  pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed'

/** Works out what scheduling asks of a Pod. */
export function newPodInfo(pod: Frozen<Pod>, labelsOf: NamespaceLabels): PodInfo {
  const affinity = pod.spec?.affinity
  const terms = (list: typeof required | undefined) => (list ?? []).map((term) => affinityTerm(term, pod, labelsOf))
  const required = affinity?.podAffinity?.requiredDuringSchedulingIgnoredDuringExecution
  return {
    pod,
    key: podKey(pod),
    uid: pod.metadata.uid ?? '',
    priority: pod.spec?.priority ?? 0,
    requests: podRequests(pod, false),
    scoringRequests: podRequests(pod, true),
    hostPorts: hostPorts(pod),
    requiredAffinity: terms(required),
    requiredAntiAffinity: terms(affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution),
    preferredAffinity: weightedTerms(
      affinity?.podAffinity?.preferredDuringSchedulingIgnoredDuringExecution,
      pod,
      labelsOf,
    ),
    preferredAntiAffinity: weightedTerms(
      affinity?.podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution,
      pod,
      labelsOf,
    ),
    signature: signatureOf(pod),
  }
}

function hostPorts(pod: Frozen<Pod>): HostPort[] {
  const sidecars = (pod.spec?.initContainers ?? []).filter((c) => c.restartPolicy === 'Always')
  return [...(pod.spec?.containers ?? []), ...sidecars].flatMap(({ ports }) =>
    (ports ?? []).flatMap(({ hostPort, hostIP, protocol }) =>
      hostPort ? [{ ip: hostIP || '0.0.0.0', protocol: protocol ?? 'TCP', port: hostPort }] : [],
    ),
  )
}

/** The parts of a Pod that node-local plugins look at, as text. */
function signatureOf({ spec }: Frozen<Pod>): string {
  if (!spec) return ''
  const container = ({ image, ports, resources, restartPolicy }: (typeof spec.containers)[number]) => [
    image,
    ports,
    resources?.requests,
    restartPolicy,
  ]
  return JSON.stringify([
    spec.containers.map(container),
    spec.initContainers?.map(container),
    spec.nodeName,
    spec.nodeSelector,
    spec.affinity?.nodeAffinity,
    spec.tolerations,
    spec.overhead,
    spec.resources,
    spec.schedulerName,
  ])
}
