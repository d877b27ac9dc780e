import type { Container, ContainerStatus, PodSandbox, PodSandboxStatus } from '../../runtime/cri/generated/cri.ts'
import type { ContainerPort, LifecycleHandler } from '../../api/generated/types/core-v1.ts'
import {
  containerNameLabel,
  deletionGraceAnnotation,
  hashAnnotation,
  podNameLabel,
  podNamespaceLabel,
  podUidLabel,
  portsAnnotation,
  preStopAnnotation,
  restartCountAnnotation,
  terminationGraceAnnotation,
} from './labels.ts'
import type { ContainerState, SandboxState } from './pod-state.ts'

/** The pod that something in the runtime belongs to. */
export interface PodOwner {
  readonly uid: string
  readonly name: string
  readonly namespace: string
}

/** Whose a sandbox or a container is, from its labels; undefined: not a kubelet's. */
export function ownerOf(labels: Readonly<Record<string, string>>): PodOwner | undefined {
  const uid = labels[podUidLabel]
  return uid ? { uid, name: labels[podNameLabel] ?? '', namespace: labels[podNamespaceLabel] ?? '' } : undefined
}

const msOfNanos = (nanos: number) => Math.floor(nanos / 1e6)

/** A sandbox's state from its status. */
export function sandboxState(sandbox: Pick<PodSandbox, 'id'>, status: PodSandboxStatus): SandboxState {
  const network = status.network
  return {
    id: sandbox.id,
    ready: status.state === 'SANDBOX_READY',
    attempt: status.metadata?.attempt ?? 0,
    createdAtMs: msOfNanos(status.createdAt),
    hostNetwork: status.linux?.namespaces?.options?.network === 'NODE',
    ips: network && [network.ip, ...network.additionalIps.map(({ ip }) => ip)].filter((ip) => ip !== ''),
    runtimeHandler: status.runtimeHandler,
  }
}

const phases: Record<string, ContainerState['phase']> = {
  CONTAINER_CREATED: 'created',
  CONTAINER_RUNNING: 'running',
  CONTAINER_EXITED: 'exited',
}

/** A container's state from its status; `lastWords` is its termination message. */
export function containerState(container: Container, status: ContainerStatus, lastWords: string): ContainerState {
  const linux = status.resources?.linux
  const user = status.user?.linux
  return {
    id: container.id,
    name: status.labels[containerNameLabel] ?? status.metadata?.name ?? '',
    sandboxId: container.podSandboxId,
    phase: phases[status.state] ?? 'unknown',
    image: status.image?.userSpecifiedImage || status.image?.image || '',
    imageRef: status.imageRef,
    createdAtMs: msOfNanos(status.createdAt),
    startedAtMs: msOfNanos(status.startedAt),
    finishedAtMs: msOfNanos(status.finishedAt),
    exitCode: status.exitCode,
    reason: status.reason,
    message: [status.message, lastWords].filter(Boolean).join(': '),
    restartCount: Number(status.annotations[restartCountAnnotation] ?? 0) || 0,
    hash: status.annotations[hashAnnotation] ?? '',
    logPath: status.logPath,
    restored: {
      graceSeconds: numberIn(
        status.annotations[deletionGraceAnnotation] ?? status.annotations[terminationGraceAnnotation],
      ),
      preStop: jsonIn<LifecycleHandler>(status.annotations[preStopAnnotation]),
      ports: jsonIn<ContainerPort[]>(status.annotations[portsAnnotation]) ?? [],
    },
    user: user && { uid: user.uid, gid: user.gid, supplementalGroups: user.supplementalGroups },
    stopSignal: status.stopSignal && status.stopSignal !== 'RUNTIME_DEFAULT' ? status.stopSignal : undefined,
    resources: linux && {
      cpuShares: linux.cpuShares,
      cpuQuota: linux.cpuQuota,
      cpuPeriod: linux.cpuPeriod,
      memoryLimitBytes: linux.memoryLimitInBytes,
    },
  }
}

function numberIn(text: string | undefined): number | undefined {
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
}

/** What a kubelet wrote there itself; undefined when it cannot be read. */
function jsonIn<T>(text: string | undefined): T | undefined {
  try {
    return text === undefined ? undefined : (JSON.parse(text) as T)
  } catch {
    return undefined
  }
}
