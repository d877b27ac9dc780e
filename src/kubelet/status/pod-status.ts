import type {
  ContainerStatus,
  Pod,
  PodCondition,
  PodStatus,
  ResourceRequirements,
} from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { asContainer, isHostNetwork, isRestartable, isTerminalPhase } from '../pod/containers.ts'
import { qosClass } from '../pod/resources.ts'
import { sandboxNeed, type ProbeOutcome } from '../pod-worker/plan.ts'
import { ipsOf, type PodState } from '../runtime-state/pod-state.ts'
import { containerStatuses, type WaitReason } from './container-statuses.ts'
import { ownConditions, podConditions } from './pod-conditions.ts'
import { podPhase } from './pod-phase.ts'

/** What probes say of a container's readiness. */
export interface ReadinessSource {
  readiness(containerId: string): ProbeOutcome | undefined
  startup(containerId: string): ProbeOutcome | undefined
}

/** What a status is made from. */
export interface PodStatusSources {
  readonly state: PodState
  /** The last status that this kubelet made, or the API's. */
  readonly previous: Frozen<PodStatus>
  readonly waits: ReadonlyMap<string, WaitReason>
  readonly probes: ReadinessSource
  readonly runtimeName: string
  readonly hostIps: readonly string[]
  /** Nothing of the pod will be started again. */
  readonly terminal: boolean
  /** Set when the node itself ends the pod: eviction, deadline, preemption. */
  readonly failed:
    | {
        readonly reason: string
        readonly message: string
        readonly disruption?: string
        readonly disruptionMessage?: string
      }
    | undefined
  readonly nowText: string
  /** What a container was given, by id; undefined: what its spec says. */
  readonly given: (containerId: string) => Frozen<ResourceRequirements> | undefined
  /** Conditions of a resize that waits or goes on. */
  readonly resize: readonly PodCondition[]
}

/** The pod's status as the API server shall have it. */
export function podStatus(pod: Frozen<Pod>, sources: PodStatusSources): PodStatus {
  const { state, previous } = sources
  const lists = statusLists(pod, sources)
  const both = [...lists.initContainerStatuses, ...lists.containerStatuses]
  const initialized = (pod.spec?.containers ?? []).some(({ name }) =>
    state.containers.some((one) => one.name === name && (one.phase === 'created' || one.phase === 'running')),
  )
  const { phase, reason, message } = verdict(
    pod,
    sources,
    podPhase(pod, { statuses: both, terminal: sources.terminal, initialized }),
  )
  const others = [
    ...(pod.status?.conditions ?? []).filter(({ type }) => !ownConditions.has(type) && type !== 'DisruptionTarget'),
    ...disruption(pod, sources),
  ]
  const conditions = podConditions(
    { pod, statuses: both, phase, sandboxReady: !sandboxNeed(pod, state).changed, others, nowText: sources.nowText },
    previous.conditions ?? [],
  )
  return {
    ...(pod.metadata.generation !== undefined && { observedGeneration: pod.metadata.generation }),
    phase,
    conditions: [...(others as PodStatus['conditions'] & object), ...sources.resize, ...conditions],
    ...(message && { message }),
    ...(reason && { reason }),
    ...addresses(pod, sources),
    startTime: previous.startTime ?? pod.status?.startTime ?? sources.nowText,
    ...(lists.initContainerStatuses.length > 0 && { initContainerStatuses: lists.initContainerStatuses }),
    ...(lists.containerStatuses.length > 0 && { containerStatuses: lists.containerStatuses }),
    ...(lists.ephemeralContainerStatuses.length > 0 && {
      ephemeralContainerStatuses: lists.ephemeralContainerStatuses,
    }),
    ...(pod.status?.nominatedNodeName && { nominatedNodeName: pod.status.nominatedNodeName }),
    ...(pod.status?.resourceClaimStatuses && {
      resourceClaimStatuses: pod.status.resourceClaimStatuses as PodStatus['resourceClaimStatuses'] & object,
    }),
    qosClass: qosClass(pod),
  }
}

function statusLists(pod: Frozen<Pod>, sources: PodStatusSources) {
  const { previous } = sources
  const shared = {
    pod,
    state: sources.state,
    waits: sources.waits,
    runtimeName: sources.runtimeName,
    given: sources.given,
  }
  const init = containerStatuses(pod.spec?.initContainers ?? [], {
    ...shared,
    previous: previous.initContainerStatuses ?? [],
    init: true,
  })
  const main = containerStatuses(pod.spec?.containers ?? [], {
    ...shared,
    previous: previous.containerStatuses ?? [],
    init: false,
  })
  const ephemeral = containerStatuses((pod.spec?.ephemeralContainers ?? []).map(asContainer), {
    ...shared,
    previous: previous.ephemeralContainerStatuses ?? [],
    init: false,
  })
  return {
    initContainerStatuses: init.map((status) => withReadiness(pod, status, { sources, init: true })),
    containerStatuses: main.map((status) => withReadiness(pod, status, { sources, init: false })),
    ephemeralContainerStatuses: ephemeral,
  }
}

/** `started` and `ready`: what runs and whose startup probe succeeded has started; without a readiness probe it is ready then. */
function withReadiness(
  pod: Frozen<Pod>,
  status: ContainerStatus,
  { sources, init }: { sources: PodStatusSources; init: boolean },
): ContainerStatus {
  const spec = (init ? pod.spec?.initContainers : pod.spec?.containers)?.find(({ name }) => name === status.name)
  const id = status.containerID?.slice(status.containerID.indexOf('://') + 3) ?? ''
  const started = Boolean(status.state?.running) && (!spec?.startupProbe || sources.probes.startup(id) === 'success')
  if (init && spec && !isRestartable(spec))
    return { ...status, started, ready: status.state?.terminated?.exitCode === 0 }
  return { ...status, started, ready: started && (!spec?.readinessProbe || sources.probes.readiness(id) === 'success') }
}

/** The phase never leaves Succeeded and Failed, and keeps the reason that belongs to it. */
function verdict(
  pod: Frozen<Pod>,
  { previous, failed }: PodStatusSources,
  computed: string,
): { readonly phase: string; readonly reason: string | undefined; readonly message: string | undefined } {
  if (failed && !isTerminalPhase(pod.status?.phase))
    return { phase: 'Failed', reason: failed.reason, message: failed.message }
  let phase = computed
  if (!isTerminalPhase(phase)) phase = [previous.phase, pod.status?.phase].find(isTerminalPhase) ?? phase
  if (isTerminalPhase(pod.status?.phase)) phase = pod.status!.phase!
  if (phase !== previous.phase) return { phase, reason: undefined, message: undefined }
  return { phase, reason: previous.reason || pod.status?.reason, message: previous.message || pod.status?.message }
}

/** A pod that shall fail is not said to have failed while its containers still run: others would take its place too early. */
export function withPhaseHeld(
  status: PodStatus,
  { before, state }: { readonly before: Frozen<PodStatus>; readonly state: PodState },
): PodStatus {
  if (
    !isTerminalPhase(status.phase) ||
    isTerminalPhase(before.phase) ||
    !state.containers.some(({ phase }) => phase === 'running')
  )
    return status
  const { phase: _phase, reason: _reason, message: _message, ...rest } = status
  return {
    ...rest,
    phase: before.phase ?? 'Pending',
    ...(before.reason && { reason: before.reason }),
    ...(before.message && { message: before.message }),
  }
}

/** DisruptionTarget is set once, by whoever disrupts: the newest of what is known stays. */
function disruption(pod: Frozen<Pod>, { previous, failed, nowText }: PodStatusSources): Frozen<PodCondition>[] {
  const found = [previous, pod.status].flatMap(
    (status) => status?.conditions?.filter(({ type }) => type === 'DisruptionTarget') ?? [],
  )
  if (found.length > 0 || !failed?.disruption) return found.slice(0, 1)
  return [
    {
      type: 'DisruptionTarget',
      status: 'True',
      reason: failed.disruption,
      message: failed.disruptionMessage ?? failed.message,
      lastTransitionTime: nowText,
    },
  ]
}

function addresses(
  pod: Frozen<Pod>,
  { state, hostIps, previous }: PodStatusSources,
): Pick<PodStatus, 'hostIP' | 'hostIPs' | 'podIP' | 'podIPs'> {
  const [hostIP] = hostIps
  const before = previous.podIPs?.map(({ ip }) => ip ?? '') ?? []
  const current = isHostNetwork(pod) ? hostIps : ipsOf(state)
  // A pod that has ended still shows the address that it had; one on the host's network never changes it.
  const own =
    isHostNetwork(pod) && before.length > 0 ? before : current.length > 0 ? sortedByFamily(current, hostIP) : before
  return {
    ...(hostIP && { hostIP, hostIPs: hostIps.map((ip) => ({ ip })) }),
    ...(own[0] && { podIP: own[0], podIPs: own.map((ip) => ({ ip })) }),
  }
}

/** The addresses of the node's own family first. */
function sortedByFamily(ips: readonly string[], hostIp: string | undefined): readonly string[] {
  if (ips.length < 2 || hostIp === undefined) return ips
  const six = hostIp.includes(':')
  return [...ips].sort((a, b) => Number(a.includes(':') !== six) - Number(b.includes(':') !== six))
}
