import type { Container, Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { Deps } from '../../base/deps.ts'
import type { ContainerRuntime } from '../../runtime/runtime.ts'
import type { KubeletSettings } from '../config.ts'
import type { ResourceOptions } from '../container/container-resources.ts'
import type { Host } from '../host/host.ts'
import type { Images } from '../images/ensure-image.ts'
import type { Resolver } from '../network/pod-dns.ts'
import type { ProbeResults } from '../probes/probe-results.ts'
import type { RuntimeState } from '../runtime-state/runtime-state.ts'
import type { ObjectReader } from '../sources/object-reader.ts'
import type { PodVolumes } from '../volumes/pod-volumes.ts'
import type { BackOff } from './back-off.ts'

/** Tells users what happens to a pod, or to one of its containers. */
export interface PodEvents {
  pod(pod: Frozen<Pod>, type: 'Normal' | 'Warning', reason: string, message: string): void
  container(subject: ContainerSubject, type: 'Normal' | 'Warning', reason: string, message: string): void
}

/** A container that an event is about. */
export interface ContainerSubject {
  readonly pod: Frozen<Pod>
  readonly container: { readonly name: string }
}

/** What the node is at the moment. */
export interface NodeState {
  readonly allocatable: Readonly<Record<string, string>>
  readonly memoryBytes: number
  readonly hostIps: readonly string[]
  readonly resolver: Resolver
  /** Why no pod but those on the host's network can start; undefined when they can. */
  readonly networkFault: string | undefined
  /** The runtime's handlers that can make everything below a mount read-only. */
  readonly recursiveReadOnlyHandlers: ReadonlySet<string>
}

/** Everything that pod workers share. */
export interface PodServices extends Deps {
  readonly runtime: ContainerRuntime
  readonly state: RuntimeState
  readonly host: Host
  readonly settings: KubeletSettings
  readonly images: Images
  readonly volumes: PodVolumes
  readonly objects: ObjectReader
  readonly events: PodEvents
  readonly probes: ProbeResults
  /** Of containers that end again and again. */
  readonly restarts: BackOff
  /** The name of the runtime's handler for a pod's runtime class; rejects when there is no such class. */
  readonly runtimeHandler: (pod: Frozen<Pod>) => Promise<string>
  readonly node: () => NodeState
  /** Something was started or ended: more will happen soon. */
  readonly acted: () => void
}

/** What of the node decides containers' limits. */
export const resourceOptions = ({ node, settings, host }: PodServices): ResourceOptions => ({
  nodeMemoryBytes: node().memoryBytes,
  cpuCfsQuota: settings.cpuCfsQuota,
  cpuCfsPeriodUs: settings.cpuCfsPeriodUs,
  singleProcessOomKill: settings.singleProcessOomKill,
  cgroups: host.cgroups.kind,
})

/** One pod at work. */
export interface PodTask {
  readonly services: PodServices
  readonly pod: Frozen<Pod>
  /** Aborted when the pod shall end: what is long and can be given up is given up. */
  readonly signal: AbortSignal | undefined
}

/** The key of a container's restart back-off: a changed image begins anew. */
export const backOffKey = (pod: Frozen<Pod>, container: Frozen<Container>): string =>
  `${pod.metadata.uid}_${container.name}_${container.image ?? ''}`
