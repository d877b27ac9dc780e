import type { Pod, PodStatus, Secret } from '../../api/generated/types/core-v1.ts'
import { isNotFound } from '../../api/errors/api-error.ts'
import type { Frozen } from '../../api/resource.ts'
import { msOf } from '../../client/object.ts'
import { isHostNetwork, isTerminalPhase } from '../pod/containers.ts'
import { specHash } from '../runtime-state/spec-hash.ts'
import type { WaitReason } from '../status/container-statuses.ts'
import { MountFailure } from '../volumes/mount-failure.ts'
import { carryOut, type Outcome } from './carry-out.ts'
import { decide } from './plan.ts'
import { givenPod, givenTo, resizeNeed, type ResizeMemory } from './resize.ts'
import type { PodTask } from './services.ts'
import { podKey } from './start-container.ts'

/** Why the node itself ends a pod. */
export interface PodFailure {
  readonly reason: string
  readonly message: string
  /** The reason of the DisruptionTarget condition, when the pod ends for the node's sake. */
  readonly disruption?: string
  /** That condition's message, where it is another. */
  readonly disruptionMessage?: string
}

/** What a worker remembers of its pod between two syncs; nothing of it must survive a restart. */
export interface WorkerMemory {
  readonly waits: Map<string, WaitReason>
  failure: PodFailure | undefined
  /** The mark after which the worker last changed something in the runtime. */
  actedAt: number
  mountFailures: number
  readonly resize: ResizeMemory
}

/** What cannot go on for now, and when it is worth trying again. */
export class SyncFailure extends Error {
  override name = 'SyncFailure'
  readonly retryMs: number
  constructor(message: string, retryMs: number, options?: ErrorOptions) {
    super(message, options)
    this.retryMs = retryMs
  }
}

/** How a sync went. */
export interface SyncResult {
  /** The pod is done, for good or ill. */
  readonly terminal: boolean
  readonly waitMs: number | undefined
}

/** As upstream: a network that is not ready is looked at every second, all else that failed every ten. */
const networkRetryMs = 1000
const failureRetryMs = 10_000
/** A volume that cannot be mounted waits twice as long each time. */
const mountRetryFirstMs = 500
const mountRetryMaxMs = 122_000

/** One step of a pod's life while it shall run. `report` writes its status. */
export async function syncPod(
  task: PodTask,
  memory: WorkerMemory,
  report: (terminal: boolean) => Promise<Frozen<PodStatus> | undefined>,
): Promise<SyncResult> {
  const { services, pod } = task
  memory.failure ??= deadlineFailure(pod, services.clock.now())
  const status = await report(false)
  if (isTerminalPhase(status?.phase)) return { terminal: true, waitMs: undefined }

  const fault = services.node().networkFault
  if (fault !== undefined && !isHostNetwork(pod)) {
    services.events.pod(pod, 'Warning', 'NetworkNotReady', `network is not ready: ${fault}`)
    throw new SyncFailure(`network is not ready: ${fault}`, networkRetryMs)
  }
  const seen = await services.state.pod(podKey(pod), memory.actedAt)
  const secrets = pullSecrets(task)
  const cgroup = services.host.cgroups.ensurePod(pod, givenPod(pod, seen, memory.resize)).catch((error: Error) => {
    services.events.pod(
      pod,
      'Warning',
      'FailedCreatePodContainer',
      `unable to ensure pod container exists: ${error.message}`,
    )
    throw new SyncFailure(error.message, failureRetryMs, { cause: error })
  })
  const files = services.host.files.preparePod(pod).then(() => mountVolumes(task, memory))
  // All are waited for before anything is thrown: the next sync must not meet them at work.
  await Promise.allSettled([cgroup, files, secrets])
  const cgroupParent = await cgroup
  await files
  const state = await services.state.pod(podKey(pod), memory.actedAt)
  const plan = decide(pod, state, {
    probes: services.probes,
    hashOf: specHash,
    resizeOf: (container, running) => resizeNeed(container, givenTo(pod, container, running, memory.resize)),
  })
  if (task.signal?.aborted) return { terminal: false, waitMs: 0 }
  const outcome = await carryOut(task, { plan, state, cgroupParent, secrets: await secrets, resize: memory.resize })
  return settle(task, memory, { outcome, report })
}

async function settle(
  { services, pod }: PodTask,
  memory: WorkerMemory,
  { outcome, report }: { outcome: Outcome; report: (terminal: boolean) => Promise<Frozen<PodStatus> | undefined> },
): Promise<SyncResult> {
  const nowMs = services.clock.now()
  const waits = [deadlineMs(pod, nowMs) ?? Infinity]
  if (outcome.changed) memory.actedAt = services.state.mark()
  for (const [name, failure] of outcome.starts) {
    if (!failure) memory.waits.delete(name)
    else {
      memory.waits.set(name, { reason: failure.reason, message: failure.message })
      waits.push(Math.max(0, (failure.retryAtMs ?? nowMs + failureRetryMs) - nowMs))
    }
  }
  if (outcome.changed || outcome.starts.size > 0) {
    const status = await report(false)
    if (isTerminalPhase(status?.phase)) return { terminal: true, waitMs: undefined }
  }
  services.acted()
  if (outcome.failure) throw new SyncFailure(outcome.failure.message, failureRetryMs, { cause: outcome.failure })
  // What was done may make room for the next step: a sidecar that runs lets the next container start.
  const done = outcome.changed && [...outcome.starts.values()].every((failure) => failure === undefined)
  const waitMs = done ? 0 : Math.min(...waits)
  return { terminal: false, waitMs: Number.isFinite(waitMs) ? waitMs : undefined }
}

async function mountVolumes({ services, pod }: PodTask, memory: WorkerMemory): Promise<void> {
  try {
    await services.volumes.mount(pod)
    memory.mountFailures = 0
  } catch (error) {
    const failures = error instanceof MountFailure ? error.failures : [(error as Error).message]
    for (const message of failures) services.events.pod(pod, 'Warning', 'FailedMount', message)
    const retryMs = Math.min(mountRetryMaxMs, mountRetryFirstMs * 2 ** memory.mountFailures++)
    throw new SyncFailure(failures.join('; '), retryMs, { cause: error })
  }
}

/** The secrets for image pulls; those that are missing are said, and the pull is tried without. */
async function pullSecrets({ services, pod }: PodTask): Promise<Frozen<Secret>[]> {
  const found: Frozen<Secret>[] = []
  const missing: string[] = []
  for (const { name } of pod.spec?.imagePullSecrets ?? []) {
    if (!name) continue
    try {
      found.push(await services.objects.secret({ namespace: pod.metadata.namespace, name }))
    } catch (error) {
      if (!isNotFound(error)) services.log.warn({ err: error, secret: name }, 'an image pull secret cannot be read')
      missing.push(name)
    }
  }
  if (missing.length > 0)
    services.events.pod(
      pod,
      'Warning',
      'FailedToRetrieveImagePullSecret',
      `Unable to retrieve some image pull secrets (${missing.join(', ')}); attempting to pull the image may not succeed.`,
    )
  return found
}

/** Milliseconds until the pod's deadline; undefined without one. */
function deadlineMs(pod: Frozen<Pod>, nowMs: number): number | undefined {
  const seconds = pod.spec?.activeDeadlineSeconds
  const start = pod.status?.startTime
  if (seconds === undefined) return undefined
  return (start ? msOf(start) : nowMs) + seconds * 1000 - nowMs
}

function deadlineFailure(pod: Frozen<Pod>, nowMs: number): PodFailure | undefined {
  if (!pod.status?.startTime) return undefined
  const leftMs = deadlineMs(pod, nowMs)
  return leftMs !== undefined && leftMs <= 0
    ? { reason: 'DeadlineExceeded', message: 'Pod was active on the node longer than the specified deadline' }
    : undefined
}
