import type { ContainerStatus, Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { isRestartable, isStaticPod, restartsAfter } from '../pod/containers.ts'

/** What a phase is made from. */
export interface PhaseSources {
  /** Of init and regular containers. */
  readonly statuses: readonly Frozen<ContainerStatus>[]
  /** Nothing of it will be started again. */
  readonly terminal: boolean
  /** A regular container runs or was made. */
  readonly initialized: boolean
}

interface Counts {
  unknown: number
  running: number
  waiting: number
  stopped: number
  stoppedForGood: number
  succeeded: number
}

/** The pod's phase from its containers' statuses. */
export function podPhase(pod: Frozen<Pod>, sources: PhaseSources): 'Pending' | 'Running' | 'Succeeded' | 'Failed' {
  const init = initCounts(pod, sources.statuses)
  if (init.failedForGood) return 'Failed'
  const counts: Counts = { unknown: 0, running: 0, waiting: 0, stopped: 0, stoppedForGood: 0, succeeded: 0 }
  const pendingSidecars = countSidecars(pod, sources.statuses, counts)
  countMain(pod, sources.statuses, counts)

  if (init.pending || (pendingSidecars > 0 && !sources.initialized) || counts.waiting > 0) return 'Pending'
  if (counts.unknown > 0) return 'Pending'
  if (counts.running > 0) return 'Running'
  if (counts.stopped === 0) return 'Pending'
  const allWell = counts.stopped === counts.succeeded
  if (sources.terminal && !isStaticPod(pod)) return allWell ? 'Succeeded' : 'Failed'
  if (counts.stopped !== counts.stoppedForGood) return 'Running'
  return allWell ? 'Succeeded' : 'Failed'
}

function initCounts(
  pod: Frozen<Pod>,
  statuses: PhaseSources['statuses'],
): { readonly pending: boolean; readonly failedForGood: boolean } {
  let pending = false
  let failedForGood = false
  for (const container of pod.spec?.initContainers ?? []) {
    if (isRestartable(container)) continue
    const status = statuses.find(({ name }) => name === container.name)
    const ended = status?.state?.terminated ?? (status?.state?.waiting ? status.lastState?.terminated : undefined)
    if (!ended) pending = true
    else if (ended.exitCode !== 0 && !restartsAfter(pod, container, ended.exitCode)) failedForGood = true
  }
  return { pending, failedForGood }
}

/** How many sidecars have yet to start. */
function countSidecars(pod: Frozen<Pod>, statuses: PhaseSources['statuses'], counts: Counts): number {
  let pending = 0
  for (const container of (pod.spec?.initContainers ?? []).filter(isRestartable)) {
    const status = statuses.find(({ name }) => name === container.name)
    if (!status) counts.unknown++
    else if (status.state?.running) {
      if (!status.started) pending++
      counts.running++
    } else if (status.state?.waiting && !status.lastState?.terminated) {
      pending++
      counts.waiting++
    } else if (!status.state?.terminated && !status.state?.waiting) {
      pending++
      counts.unknown++
    }
  }
  return pending
}

function countMain(pod: Frozen<Pod>, statuses: PhaseSources['statuses'], counts: Counts): void {
  for (const container of pod.spec?.containers ?? []) {
    const status = statuses.find(({ name }) => name === container.name)
    if (status?.state?.running) counts.running++
    else if (status?.state?.terminated) {
      counts.stopped++
      if (!restartsAfter(pod, container, status.state.terminated.exitCode)) counts.stoppedForGood++
      if (status.state.terminated.exitCode === 0) counts.succeeded++
    } else if (status?.state?.waiting) {
      const last = status.lastState?.terminated
      if (!last) counts.waiting++
      else {
        counts.stopped++
        if (!restartsAfter(pod, container, last.exitCode)) counts.stoppedForGood++
      }
    } else counts.unknown++
  }
}
