import type {
  ContainerState as ApiState,
  ContainerStateTerminated,
  ContainerStatus,
  Pod,
  ResourceRequirements,
} from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { timestamp } from '../../client/object.ts'
import { cpuText } from '../pod/amount.ts'
import type { AnyContainer } from '../pod/containers.ts'
import { amountsOf } from '../pod/resources.ts'
import { shouldStart } from '../pod-worker/plan.ts'
import type { ContainerState, PodState } from '../runtime-state/pod-state.ts'

/** Why a container waits, as the pod worker found it. */
export interface WaitReason {
  readonly reason: string
  readonly message: string
}

/** What statuses are made from. */
export interface StatusSources {
  readonly pod: Frozen<Pod>
  readonly state: PodState
  readonly previous: readonly Frozen<ContainerStatus>[]
  readonly waits: ReadonlyMap<string, WaitReason>
  /** 'containerd': the scheme of container ids. */
  readonly runtimeName: string
  readonly init: boolean
  /** What a container was given, by id; undefined: what its spec says. */
  readonly given: (containerId: string) => Frozen<ResourceRequirements> | undefined
}

const lostMessage = 'The container could not be located when the pod was terminated'
const lostDeletedMessage =
  'The container could not be located when the pod was deleted.  The container used to be Running'
/** What a container that was killed exits with: the best guess for one that is lost. */
const lostExitCode = 137

/** The status of each of the containers, in upstream's order: by name, init containers as in the spec. Readiness is the probes' to say. */
export function containerStatuses(containers: readonly AnyContainer[], sources: StatusSources): ContainerStatus[] {
  const statuses = containers.map((container) => containerStatus(container, sources))
  return sources.init ? statuses : statuses.sort((a, b) => (a.name < b.name ? -1 : 1))
}

function containerStatus(container: AnyContainer, sources: StatusSources): ContainerStatus {
  const { pod, state, init } = sources
  const previous = sources.previous.find(({ name }) => name === container.name) as ContainerStatus | undefined
  const [newest, older] = state.containers.filter(({ name }) => name === container.name)
  const status = newest ? seen(container, newest, { older, previous, sources }) : unseen(container, previous, sources)
  if (init && newest?.phase === 'exited' && newest.exitCode === 0) return status
  const wait = shouldStart(pod, container, state) ? sources.waits.get(container.name) : undefined
  if (!wait) return status
  return {
    ...status,
    ...(status.state?.terminated && { lastState: status.state }),
    state: { waiting: { ...(wait.reason && { reason: wait.reason }), ...(wait.message && { message: wait.message }) } },
  }
}

/** Of a container that the runtime knows nothing of: it waits, or it was lost. */
function unseen(
  container: AnyContainer,
  previous: ContainerStatus | undefined,
  { pod }: StatusSources,
): ContainerStatus {
  const hasInit = (pod.spec?.initContainers?.length ?? 0) > 0
  const waiting: ContainerStatus = {
    name: container.name,
    state: { waiting: { reason: hasInit ? 'PodInitializing' : 'ContainerCreating' } },
    lastState: previous?.lastState ?? {},
    ready: false,
    restartCount: previous?.restartCount ?? 0,
    image: container.image ?? '',
    imageID: '',
    ...mountStatuses(container),
  }
  if (previous?.state?.terminated) return previous
  if (!previous?.state?.running || waiting.lastState?.terminated) return waiting
  const lost: ContainerStateTerminated = {
    reason: 'ContainerStatusUnknown',
    message: lostDeletedMessage,
    exitCode: lostExitCode,
  }
  return {
    ...waiting,
    lastState: { terminated: lost },
    restartCount: waiting.restartCount + (pod.metadata.deletionTimestamp ? 0 : 1),
  }
}

interface Seen {
  readonly older: ContainerState | undefined
  readonly previous: ContainerStatus | undefined
  readonly sources: StatusSources
}

function seen(container: AnyContainer, newest: ContainerState, { older, previous, sources }: Seen): ContainerStatus {
  const state = apiState(newest, previous, sources)
  return {
    name: container.name,
    state,
    lastState: older ? apiState(older, undefined, sources) : {},
    ready: false,
    restartCount: newest.restartCount + (state.terminated?.message === lostMessage ? 1 : 0),
    image: newest.image,
    imageID: newest.imageRef,
    containerID: idText(newest, sources),
    ...resourceStatus(container, newest, sources.given(newest.id)),
    ...(newest.user && {
      user: {
        linux: {
          uid: newest.user.uid,
          gid: newest.user.gid,
          ...(newest.user.supplementalGroups.length > 0 && { supplementalGroups: [...newest.user.supplementalGroups] }),
        },
      },
    }),
    ...(newest.stopSignal && { stopSignal: newest.stopSignal }),
    ...mountStatuses(container),
  }
}

const idText = ({ id }: ContainerState, { runtimeName }: StatusSources) => `${runtimeName}://${id}`

function apiState(container: ContainerState, previous: ContainerStatus | undefined, sources: StatusSources): ApiState {
  switch (container.phase) {
    case 'running':
      return { running: { startedAt: timestamp(container.startedAtMs) } }
    case 'created':
      return { waiting: {} }
    case 'exited':
      return {
        terminated: {
          exitCode: container.exitCode,
          ...(container.reason && { reason: container.reason }),
          ...(container.message && { message: container.message }),
          startedAt: container.startedAtMs > 0 ? timestamp(container.startedAtMs) : (null as unknown as string),
          finishedAt: container.finishedAtMs > 0 ? timestamp(container.finishedAtMs) : (null as unknown as string),
          containerID: idText(container, sources),
        },
      }
    case 'unknown':
      return previous?.state?.running
        ? { terminated: { reason: 'ContainerStatusUnknown', message: lostMessage, exitCode: lostExitCode } }
        : { waiting: {} }
  }
}

/** What the container was given: what the runtime says it applies, where that differs from what is asked for. */
function resourceStatus(
  container: AnyContainer,
  state: ContainerState,
  given: Frozen<ResourceRequirements> | undefined,
): Pick<ContainerStatus, 'resources' | 'allocatedResources'> {
  const asked = state.phase === 'running' ? (given ?? container.resources) : container.resources
  if (!asked) return {}
  const { cpuQuota = 0, cpuPeriod = 0, memoryLimitBytes = 0 } = state.phase === 'running' ? (state.resources ?? {}) : {}
  const limits = asked.limits && { ...asked.limits }
  const wanted = amountsOf(asked.limits)
  const cpuMillis = cpuQuota > 0 && cpuPeriod > 0 ? Math.ceil((cpuQuota * 1000) / cpuPeriod) : 0
  // The smallest quota stands for ten thousandths of a core and less.
  if (
    limits &&
    cpuMillis > 0 &&
    wanted['cpu'] !== undefined &&
    cpuMillis !== wanted['cpu'] &&
    (cpuMillis > 10 || wanted['cpu'] > 10)
  )
    limits['cpu'] = cpuText(cpuMillis)
  if (limits && memoryLimitBytes > 0 && wanted['memory'] !== undefined && memoryLimitBytes !== wanted['memory'])
    limits['memory'] = String(memoryLimitBytes)
  return {
    resources: { ...(limits && { limits }), ...(asked.requests && { requests: { ...asked.requests } }) },
    ...(container.resources?.requests && { allocatedResources: { ...container.resources.requests } }),
  }
}

function mountStatuses(container: AnyContainer): Pick<ContainerStatus, 'volumeMounts'> {
  if (!container.volumeMounts?.length) return {}
  return {
    volumeMounts: container.volumeMounts.map(({ name, mountPath, readOnly, recursiveReadOnly }) => ({
      name,
      mountPath,
      ...(readOnly && { readOnly, recursiveReadOnly: recursiveReadOnly === 'Enabled' ? 'Enabled' : 'Disabled' }),
    })),
  }
}
