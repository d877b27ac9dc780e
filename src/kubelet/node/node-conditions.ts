import type { NodeCondition } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { RuntimeStatus } from '../../runtime/cri/generated/cri.ts'

/** Which resources of the node are short. */
export interface Pressures {
  readonly memory: boolean
  readonly disk: boolean
  readonly pids: boolean
}

/** What node conditions are made from. */
export interface NodeConditionSources {
  readonly pressures: Pressures
  /** Undefined: the runtime does not answer; then `runtimeFault` says why. */
  readonly runtime: RuntimeStatus | undefined
  readonly runtimeFault: string
  readonly nowText: string
}

type Verdict = Pick<NodeCondition, 'type' | 'status' | 'reason' | 'message'>

/** The conditions of a node in upstream's words; one whose status did not change keeps its time. */
export function nodeConditions(
  sources: NodeConditionSources,
  previous: readonly Frozen<NodeCondition>[],
): NodeCondition[] {
  const { pressures, nowText } = sources
  const verdicts: Verdict[] = [
    pressures.memory
      ? {
          type: 'MemoryPressure',
          status: 'True',
          reason: 'KubeletHasInsufficientMemory',
          message: 'kubelet has insufficient memory available',
        }
      : {
          type: 'MemoryPressure',
          status: 'False',
          reason: 'KubeletHasSufficientMemory',
          message: 'kubelet has sufficient memory available',
        },
    pressures.disk
      ? { type: 'DiskPressure', status: 'True', reason: 'KubeletHasDiskPressure', message: 'kubelet has disk pressure' }
      : {
          type: 'DiskPressure',
          status: 'False',
          reason: 'KubeletHasNoDiskPressure',
          message: 'kubelet has no disk pressure',
        },
    pressures.pids
      ? {
          type: 'PIDPressure',
          status: 'True',
          reason: 'KubeletHasInsufficientPID',
          message: 'kubelet has insufficient PID available',
        }
      : {
          type: 'PIDPressure',
          status: 'False',
          reason: 'KubeletHasSufficientPID',
          message: 'kubelet has sufficient PID available',
        },
    readyVerdict(sources),
  ]
  const own = verdicts.map((verdict) => {
    const before = previous.find(({ type }) => type === verdict.type)
    return {
      ...verdict,
      lastHeartbeatTime: nowText,
      lastTransitionTime: before?.status === verdict.status ? (before.lastTransitionTime ?? nowText) : nowText,
    }
  })
  const others = previous.filter(({ type }) => !verdicts.some((verdict) => verdict.type === type))
  return [...(others as NodeCondition[]), ...own]
}

/** Why the network is not ready; undefined when it is. */
export function networkFault(runtime: RuntimeStatus | undefined): string | undefined {
  const condition = runtime?.conditions.find(({ type }) => type === 'NetworkReady')
  if (condition?.status) return undefined
  return condition
    ? `container runtime network not ready: NetworkReady=false reason:${condition.reason} message:${condition.message}`
    : 'container runtime network not ready: '
}

function readyVerdict({ runtime, runtimeFault }: NodeConditionSources): Verdict {
  const faults: string[] = []
  const runtimeReady = runtime?.conditions.find(({ type }) => type === 'RuntimeReady')
  if (!runtime) faults.push(`container runtime is down: ${runtimeFault}`)
  else if (!runtimeReady?.status)
    faults.push(
      `container runtime not ready: RuntimeReady=false reason:${runtimeReady?.reason ?? ''} message:${runtimeReady?.message ?? ''}`,
    )
  const network = runtime && networkFault(runtime)
  if (network) faults.push(network)
  if (faults.length === 0)
    return { type: 'Ready', status: 'True', reason: 'KubeletReady', message: 'kubelet is posting ready status' }
  return {
    type: 'Ready',
    status: 'False',
    reason: 'KubeletNotReady',
    message: faults.length === 1 ? faults[0]! : `[${faults.join(', ')}]`,
  }
}
