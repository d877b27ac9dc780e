import type { Container, ContainerStatus, Pod, PodCondition } from '../generated/types/core-v1.ts'
import type { RowCondition } from '../kind.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { age, name, since } from '../table-format/cells.ts'

type Status = Frozen<ContainerStatus>

/** What `kubectl get pods` shows. */
export function podRow(pod: Frozen<Pod>, nowMs: number): Cell[] {
  const progress = initProgress(pod)
  const initialized = progress.reason === undefined || conditionIs(pod, 'Initialized')
  const running = initialized ? mainProgress(pod, progress.reason ?? baseReason(pod)) : undefined
  const ready = progress.ready + (running?.ready ?? 0)
  const restarts = running ? running.restarts.with(progress.sidecarRestarts) : progress.restarts
  const reason = deletionReason(pod) ?? running?.reason ?? progress.reason ?? ''
  const total = (pod.spec?.containers?.length ?? 0) + sidecars(pod).size
  return [name(pod), `${ready}/${total}`, reason, restarts.text(nowMs), age(pod, nowMs), ...wideCells(pod)]
}

/** Tells kubectl which Pods are done. */
export function podRowConditions({ status }: Frozen<Pod>): readonly RowCondition[] | undefined {
  if (status?.phase === 'Succeeded')
    return [{ type: 'Completed', status: 'True', reason: 'Succeeded', message: 'The pod has completed successfully.' }]
  return status?.phase === 'Failed'
    ? [{ type: 'Completed', status: 'True', reason: 'Failed', message: 'The pod failed.' }]
    : undefined
}

/** How often containers were restarted, and when the last time was. */
class Restarts {
  readonly count: number
  readonly lastAt: string | undefined

  constructor(count = 0, lastAt?: string) {
    this.count = count
    this.lastAt = lastAt
  }

  of({ restartCount, lastState }: Status): Restarts {
    return this.with(new Restarts(restartCount, lastState?.terminated?.finishedAt ?? undefined))
  }

  with(other: Restarts): Restarts {
    const later =
      !this.lastAt || (other.lastAt !== undefined && Date.parse(other.lastAt) > Date.parse(this.lastAt))
        ? other.lastAt
        : this.lastAt
    return new Restarts(this.count + other.count, later)
  }

  text(nowMs: number): string {
    return this.count > 0 && this.lastAt ? `${this.count} (${since(this.lastAt, nowMs)} ago)` : String(this.count)
  }
}

/** Init containers that run beside the others, by name. */
const sidecars = (pod: Frozen<Pod>): ReadonlySet<string> =>
  new Set(
    (pod.spec?.initContainers ?? [])
      .filter((container: Frozen<Container>) => container.restartPolicy === 'Always')
      .map((container) => container.name),
  )

interface InitProgress {
  /** Why the Pod is not initialized; undefined when no init container holds it up. */
  readonly reason: string | undefined
  readonly ready: number
  readonly restarts: Restarts
  readonly sidecarRestarts: Restarts
}

function initProgress(pod: Frozen<Pod>): InitProgress {
  const beside = sidecars(pod)
  let ready = 0
  let restarts = new Restarts()
  let sidecarRestarts = new Restarts()
  for (const [i, status] of (pod.status?.initContainerStatuses ?? []).entries()) {
    const isSidecar = beside.has(status.name)
    restarts = restarts.of(status)
    if (isSidecar) sidecarRestarts = sidecarRestarts.of(status)
    if (status.state?.terminated?.exitCode === 0) continue
    if (isSidecar && status.started) {
      if (status.ready) ready++
      continue
    }
    return {
      reason: `Init:${initReason(status) ?? `${i}/${pod.spec?.initContainers?.length ?? 0}`}`,
      ready,
      restarts,
      sidecarRestarts,
    }
  }
  return { reason: undefined, ready, restarts, sidecarRestarts }
}

function initReason({ state }: Status): string | undefined {
  if (state?.terminated) return endReason(state.terminated)
  return state?.waiting?.reason && state.waiting.reason !== 'PodInitializing' ? state.waiting.reason : undefined
}

const endReason = (end: {
  readonly reason?: string | undefined
  readonly signal?: number | undefined
  readonly exitCode: number
}): string => end.reason || (end.signal ? `Signal:${end.signal}` : `ExitCode:${end.exitCode}`)

/** What the Pod's own status says, before its containers are asked. */
function baseReason({ status }: Frozen<Pod>): string {
  const gated = status?.conditions?.some(({ type, reason }) => type === 'PodScheduled' && reason === 'SchedulingGated')
  return gated ? 'SchedulingGated' : status?.reason || status?.phase || ''
}

/** What the containers say; the first one counts most. */
function mainProgress(
  pod: Frozen<Pod>,
  base: string,
): { readonly reason: string; readonly ready: number; readonly restarts: Restarts } {
  let reason = base
  let failure: string | undefined
  let ready = 0
  let restarts = new Restarts()
  for (const status of [...(pod.status?.containerStatuses ?? [])].reverse()) {
    restarts = restarts.of(status)
    const { waiting, terminated, running } = status.state ?? {}
    if (waiting?.reason) reason = waiting.reason
    else if (terminated) {
      reason = endReason(terminated)
      if (terminated.exitCode !== 0) failure = reason
    } else if (status.ready && running) ready++
  }
  if (reason === 'Completed' && ready > 0 && conditionIs(pod, 'Ready')) reason = 'Running'
  else if (reason === 'Completed') reason = failure ?? (ready > 0 ? 'NotReady' : reason)
  return { reason, ready, restarts }
}

function deletionReason({ metadata, status }: Frozen<Pod>): string | undefined {
  if (!metadata.deletionTimestamp) return undefined
  if (status?.reason === 'NodeLost') return 'Unknown'
  return status?.phase === 'Succeeded' || status?.phase === 'Failed' ? undefined : 'Terminating'
}

const conditionOf = (pod: Frozen<Pod>, type: string): Frozen<PodCondition> | undefined =>
  pod.status?.conditions?.find((condition) => condition.type === type)

const conditionIs = (pod: Frozen<Pod>, type: string): boolean => conditionOf(pod, type)?.status === 'True'

function wideCells(pod: Frozen<Pod>): Cell[] {
  const { spec, status } = pod
  const gates = spec?.readinessGates ?? []
  const open = gates.filter(({ conditionType }) => conditionIs(pod, conditionType)).length
  return [
    status?.podIPs?.[0]?.ip || '<none>',
    spec?.nodeName || '<none>',
    status?.nominatedNodeName || '<none>',
    gates.length > 0 ? `${open}/${gates.length}` : '<none>',
  ]
}
