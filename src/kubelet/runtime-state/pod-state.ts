import type { ContainerPort, LifecycleHandler } from '../../api/generated/types/core-v1.ts'

/** What of one pod is in the runtime: read from its labels and annotations, so that a kubelet that starts anew finds everything. */
export interface PodState {
  readonly uid: string
  readonly name: string
  readonly namespace: string
  /** Newest first. */
  readonly sandboxes: readonly SandboxState[]
  /** Newest first, of all sandboxes; the pod's own containers only. */
  readonly containers: readonly ContainerState[]
  /** When it was read: a mark of the runtime state's, not a time. */
  readonly observedAt: number
}

/** A sandbox as the runtime has it. */
export interface SandboxState {
  readonly id: string
  readonly ready: boolean
  readonly attempt: number
  readonly createdAtMs: number
  readonly hostNetwork: boolean
  /** The primary address first; empty on the host's network. Undefined: the runtime said nothing about the network. */
  readonly ips: readonly string[] | undefined
  readonly runtimeHandler: string
}

/** A container as the runtime has it. */
export interface ContainerState {
  readonly id: string
  readonly name: string
  readonly sandboxId: string
  readonly phase: 'created' | 'running' | 'exited' | 'unknown'
  readonly image: string
  /** What status.imageID shows. */
  readonly imageRef: string
  readonly createdAtMs: number
  readonly startedAtMs: number
  readonly finishedAtMs: number
  readonly exitCode: number
  readonly reason: string
  readonly message: string
  readonly restartCount: number
  /** Of the spec that it was made from; '' when unknown. */
  readonly hash: string
  readonly logPath: string
  /** What its end needs when its spec is gone: from its annotations. */
  readonly restored: {
    readonly graceSeconds: number | undefined
    readonly preStop: LifecycleHandler | undefined
    readonly ports: ContainerPort[]
  }
  readonly user:
    | { readonly uid: number; readonly gid: number; readonly supplementalGroups: readonly number[] }
    | undefined
  readonly stopSignal: string | undefined
  /** The limits that the runtime says it applies, undefined when it does not say. */
  readonly resources:
    | {
        readonly cpuShares: number
        readonly cpuQuota: number
        readonly cpuPeriod: number
        readonly memoryLimitBytes: number
      }
    | undefined
}

/** A pod of which the runtime knows nothing. */
export const emptyPodState = (uid: string, name: string, namespace: string, observedAt: number): PodState => ({
  uid,
  name,
  namespace,
  sandboxes: [],
  containers: [],
  observedAt,
})

/** The newest container of that name. */
export const containerOf = (state: PodState, name: string): ContainerState | undefined =>
  state.containers.find((container) => container.name === name)

/** The newest sandbox's addresses, while it is ready. */
export const ipsOf = (state: PodState): readonly string[] => {
  const [newest] = state.sandboxes
  return newest?.ready ? (newest.ips ?? []) : []
}

/** Whether anything of it still runs. */
export const isAlive = (state: PodState): boolean =>
  state.containers.some(({ phase }) => phase === 'running' || phase === 'unknown') ||
  state.sandboxes.some(({ ready }) => ready)
