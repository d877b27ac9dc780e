import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import {
  asContainer,
  isHostNetwork,
  isRestartable,
  restartsAfter,
  restartsOnFailure,
  type AnyContainer,
} from '../pod/containers.ts'
import { containerOf, type ContainerState, type PodState } from '../runtime-state/pod-state.ts'
import type { ContainerUpdate } from './update-containers.ts'

/** What a probe last found of a container: undefined while it was not asked. */
export type ProbeOutcome = 'success' | 'failure' | 'unknown'

/** What the plan asks of the probes, by container id. */
export interface ProbeOutcomes {
  liveness(containerId: string): ProbeOutcome | undefined
  startup(containerId: string): ProbeOutcome | undefined
}

/** Why a container is killed: it decides the grace period. */
export type KillReason = 'StartupProbe' | 'LivenessProbe' | 'FailedPostStartHook' | 'Unknown' | 'Resize' | ''

/** A container to end before others start. */
export interface ContainerKill {
  readonly container: ContainerState
  readonly message: string
  readonly reason: KillReason
}

/** What to do to bring a pod's sandbox and containers to what its spec says, in this order. */
export interface PodPlan {
  /** End everything, the sandbox too. */
  readonly killPod: boolean
  readonly kill: readonly ContainerKill[]
  /** Make a sandbox with this attempt; undefined: the one there is stays. */
  readonly createSandbox: { readonly attempt: number; readonly replaces: boolean } | undefined
  /** The sandbox in use; '' when there is none or a new one is needed. */
  readonly sandboxId: string
  readonly attempt: number
  readonly startEphemeral: readonly AnyContainer[]
  readonly startInit: readonly AnyContainer[]
  readonly start: readonly AnyContainer[]
  /** Running containers whose resources change in place. */
  readonly update: readonly ContainerUpdate[]
}

/** What a plan is made from besides spec and state. */
export interface PlanInputs {
  readonly probes: ProbeOutcomes
  readonly hashOf: (container: AnyContainer) => string
  /** What a running container needs to have the resources of its spec. */
  readonly resizeOf: (container: AnyContainer, running: ContainerState) => 'none' | 'update' | 'restart'
}

/** Whether the pod needs another sandbox than it has. */
export function sandboxNeed(
  pod: Frozen<Pod>,
  state: PodState,
): { readonly changed: boolean; readonly attempt: number; readonly sandboxId: string } {
  const [newest] = state.sandboxes
  if (!newest) return { changed: true, attempt: 0, sandboxId: '' }
  const next = { changed: true, attempt: newest.attempt + 1, sandboxId: newest.id }
  if (state.sandboxes.filter(({ ready }) => ready).length > 1 || !newest.ready) return next
  if (newest.hostNetwork !== isHostNetwork(pod)) return { ...next, sandboxId: '' }
  if (!isHostNetwork(pod) && newest.ips?.length === 0) return next
  return { changed: false, attempt: newest.attempt, sandboxId: newest.id }
}

/** Decides what a running pod needs, from its spec and what the runtime has. Pure: a table tests it without a node. */
export function decide(pod: Frozen<Pod>, state: PodState, inputs: PlanInputs): PodPlan {
  const sandbox = sandboxNeed(pod, state)
  if (sandbox.changed) return startOver(pod, state, sandbox)
  const startEphemeral = (pod.spec?.ephemeralContainers ?? [])
    .map(asContainer)
    .filter(({ name }) => !containerOf(state, name))
  const init = decideInit(pod, state, inputs)
  const base = { createSandbox: undefined, sandboxId: sandbox.sandboxId, attempt: sandbox.attempt, startEphemeral }
  if (init.killPod || !init.initialized)
    return { ...base, killPod: init.killPod, kill: init.kill, startInit: init.start, start: [], update: [] }

  const main = decideMain(pod, state, inputs)
  const killPod = main.kept === 0 && main.start.length === 0
  // Sidecars must not keep a pod alive whose own containers are done.
  return {
    ...base,
    killPod,
    kill: [...init.kill, ...main.kill],
    startInit: killPod ? [] : init.start,
    start: main.start,
    update: [...init.update, ...main.update],
  }
}

/** A new sandbox means that everything begins anew, unless everything was done already. */
function startOver(pod: Frozen<Pod>, state: PodState, sandbox: ReturnType<typeof sandboxNeed>): PodPlan {
  const killOnly: PodPlan = {
    killPod: true,
    kill: [],
    createSandbox: undefined,
    sandboxId: sandbox.sandboxId,
    attempt: sandbox.attempt,
    startEphemeral: [],
    startInit: [],
    start: [],
    update: [],
  }
  if (!restartsOnFailure(pod) && sandbox.attempt !== 0 && state.containers.length > 0) return killOnly
  const containers = pod.spec?.containers ?? []
  const start = containers.filter((container) => !isDone(pod, container, state))
  if (start.length === 0 && containers.some(({ name }) => containerOf(state, name))) return killOnly
  const createSandbox = { attempt: sandbox.attempt, replaces: sandbox.sandboxId !== '' }
  const [firstInit] = pod.spec?.initContainers ?? []
  return firstInit ? { ...killOnly, createSandbox, startInit: [firstInit] } : { ...killOnly, createSandbox, start }
}

/** Ran to success, and is not wanted twice. */
function isDone(pod: Frozen<Pod>, container: AnyContainer, state: PodState): boolean {
  const policy = container.restartPolicy ?? pod.spec?.restartPolicy
  if (policy !== 'OnFailure') return false
  const last = containerOf(state, container.name)
  return last?.phase === 'exited' && last.exitCode === 0
}

/** Whether the container is to be started: it never ran, is in no known state, or ended and its policy wants it again. */
export function shouldStart(pod: Frozen<Pod>, container: AnyContainer, state: PodState): boolean {
  if (pod.metadata.deletionTimestamp) return false
  const last = containerOf(state, container.name)
  if (!last) return true
  if (last.phase === 'running') return false
  return last.phase !== 'exited' || restartsAfter(pod, container, last.exitCode)
}

interface MainPlan {
  readonly kept: number
  readonly start: readonly AnyContainer[]
  readonly kill: readonly ContainerKill[]
  readonly update: readonly ContainerUpdate[]
}

function decideMain(pod: Frozen<Pod>, state: PodState, inputs: PlanInputs): MainPlan {
  let kept = 0
  const start: AnyContainer[] = []
  const kill: ContainerKill[] = []
  const update: ContainerUpdate[] = []
  for (const container of pod.spec?.containers ?? []) {
    const last = containerOf(state, container.name)
    if (last?.phase !== 'running') {
      if (!shouldStart(pod, container, state)) continue
      start.push(container)
      if (last?.phase === 'unknown')
        kill.push({
          container: last,
          message: 'Container is in "unknown" state, try killing it before restart',
          reason: 'Unknown',
        })
      continue
    }
    const fault = faultOf(container, last, inputs)
    if (!fault) {
      const need = inputs.resizeOf(container, last)
      if (need === 'restart') {
        kill.push(resizeKill(container, last))
        start.push(container)
        continue
      }
      if (need === 'update') update.push({ container, running: last })
      kept++
      continue
    }
    const again = fault.changed || (container.restartPolicy ?? pod.spec?.restartPolicy) !== 'Never'
    if (again) start.push(container)
    kill.push({
      container: last,
      message: again ? `${fault.message}, will be restarted` : fault.message,
      reason: fault.reason,
    })
  }
  return { kept, start, kill, update }
}

const resizeKill = (container: AnyContainer, running: ContainerState): ContainerKill => ({
  container: running,
  message: `Container ${container.name} resize requires restart`,
  reason: 'Resize',
})

interface Fault {
  readonly message: string
  readonly reason: KillReason
  readonly changed: boolean
}

/** Why a running container cannot stay as it is. */
function faultOf(container: AnyContainer, running: ContainerState, { probes, hashOf }: PlanInputs): Fault | undefined {
  if (running.hash !== '' && running.hash !== hashOf(container))
    return { message: `Container ${container.name} definition changed`, reason: '', changed: true }
  if (probes.liveness(running.id) === 'failure')
    return { message: `Container ${container.name} failed liveness probe`, reason: 'LivenessProbe', changed: false }
  if (probes.startup(running.id) === 'failure')
    return { message: `Container ${container.name} failed startup probe`, reason: 'StartupProbe', changed: false }
  return undefined
}

interface InitPlan {
  readonly initialized: boolean
  readonly killPod: boolean
  readonly start: readonly AnyContainer[]
  readonly kill: readonly ContainerKill[]
  readonly update: readonly ContainerUpdate[]
}

/**
 * What the init containers need. Read from the last to the first: the newest that ran tells how far the pod has come, since the runtime may have
 * forgotten those before it; from there on, only sidecars are looked at.
 */
function decideInit(pod: Frozen<Pod>, state: PodState, inputs: PlanInputs): InitPlan {
  const init = pod.spec?.initContainers ?? []
  if (init.length === 0) return { initialized: true, killPod: false, start: [], kill: [], update: [] }
  let initialized = (pod.spec?.containers ?? []).some(({ name }) =>
    ['created', 'running'].includes(containerOf(state, name)?.phase ?? ''),
  )
  let passed = initialized
  const start = new Set<number>()
  const kill: ContainerKill[] = []
  const update: ContainerUpdate[] = []
  for (let at = init.length - 1; at >= 0; at--) {
    const container = init[at]!
    const last = containerOf(state, container.name)
    if (!last) {
      if (passed && isRestartable(container)) start.add(at)
      continue
    }
    if (passed && !isRestartable(container)) continue
    const step = isRestartable(container) ? sidecarStep(container, last, inputs) : initStep(pod, container, last)
    if (step.fatal) return { initialized: false, killPod: true, start: [], kill: [], update: [] }
    if (step.done) {
      if (at === init.length - 1) initialized = true
      else if (!passed) start.add(at + 1)
    }
    if (step.kill) kill.push(step.kill)
    if (step.start) start.add(at)
    if (step.update) update.push({ container, running: last })
    passed = true
  }
  if (!passed) start.add(0)
  return { initialized, killPod: false, start: [...start].sort((a, b) => a - b).map((at) => init[at]!), kill, update }
}

interface InitStep {
  /** The next one may start. */
  readonly done?: boolean
  readonly start?: boolean
  readonly kill?: ContainerKill
  /** It failed and may not be repeated: the pod has failed. */
  readonly fatal?: boolean
  /** Its resources change in place. */
  readonly update?: boolean
}

function initStep(pod: Frozen<Pod>, container: AnyContainer, last: ContainerState): InitStep {
  switch (last.phase) {
    case 'running':
      return {}
    case 'created':
      return { start: true }
    case 'exited':
      if (last.exitCode === 0) return { done: true }
      return restartsAfter(pod, container, last.exitCode) && !pod.metadata.deletionTimestamp
        ? { start: true }
        : { fatal: true }
    case 'unknown':
      if ((container.restartPolicy ?? pod.spec?.restartPolicy) === 'Never') return { fatal: true }
      return {
        start: true,
        kill: {
          container: last,
          message: 'Init container is in "unknown" state, try killing it before restart',
          reason: 'Unknown',
        },
      }
  }
}

function sidecarStep(
  container: AnyContainer,
  last: ContainerState,
  { probes, hashOf, resizeOf }: PlanInputs,
): InitStep {
  if (last.phase === 'unknown')
    return {
      start: true,
      kill: {
        container: last,
        message: 'Init container is in "unknown" state, try killing it before restart',
        reason: 'Unknown',
      },
    }
  if (last.phase !== 'running') return { start: true }
  if (container.startupProbe) {
    const startup = probes.startup(last.id)
    if (startup === 'failure')
      return {
        start: true,
        kill: {
          container: last,
          message: `Init container ${container.name} failed startup probe`,
          reason: 'StartupProbe',
        },
      }
    if (startup !== 'success') return {}
  }
  if (last.hash !== '' && last.hash !== hashOf(container))
    return {
      done: true,
      start: true,
      kill: { container: last, message: `Init container ${container.name} definition changed`, reason: '' },
    }
  if (container.livenessProbe && probes.liveness(last.id) === 'failure') {
    return {
      done: true,
      start: true,
      kill: {
        container: last,
        message: `Init container ${container.name} failed liveness probe`,
        reason: 'LivenessProbe',
      },
    }
  }
  const need = resizeOf(container, last)
  if (need === 'restart') return { done: true, start: true, kill: resizeKill(container, last) }
  return { done: true, update: need === 'update' }
}
