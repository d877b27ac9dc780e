import type { Container, Pod, Probe } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { runHook } from '../container/hook.ts'
import { containerSpec, isRestartable } from '../pod/containers.ts'
import { ipsOf, type ContainerState, type PodState } from '../runtime-state/pod-state.ts'
import type { KillReason } from './plan.ts'
import type { PodTask } from './services.ts'

/** A container gets this long at least, even when no grace is left. */
const graceMinSeconds = 2

/** How a pod is ended. */
export interface KillOptions {
  readonly state: PodState
  /** Instead of what pod and probe say. */
  readonly graceSeconds?: number | undefined
}

/** Ends all containers of the pod, sidecars last and in reverse order, then its sandboxes. */
export async function killPod(task: PodTask, options: KillOptions): Promise<void> {
  const { pod, services } = task
  const running = options.state.containers.filter(
    ({ phase }) => phase === 'running' || phase === 'unknown' || phase === 'created',
  )
  const order = new TerminationOrder(pod, running)
  await Promise.all(
    running.map((container) => killContainer(task, { ...options, container, message: '', reason: '', order })),
  )
  for (const { id } of options.state.sandboxes) await services.runtime.stopSandbox(id)
}

/** One container to end. */
export interface ContainerKillOptions extends KillOptions {
  readonly container: ContainerState
  /** '' : the usual message of a pod that ends. */
  readonly message: string
  readonly reason: KillReason
  readonly order?: TerminationOrder
}

/** Runs the container's preStop hook, waits for its turn, and stops it, all within its grace period. */
export async function killContainer(task: PodTask, options: ContainerKillOptions): Promise<void> {
  const { pod, services } = task
  const { container, order } = options
  const spec = containerSpec(pod, container.name)
  services.events.container(
    { pod, container },
    'Normal',
    'Killing',
    options.message || `Stopping container ${container.name}`,
  )
  let graceSeconds = options.graceSeconds ?? graceOf(pod, spec, options.reason)
  try {
    if (spec?.lifecycle?.preStop && graceSeconds > 0 && container.phase === 'running')
      graceSeconds -= await runPreStop(task, { spec, options, graceSeconds })
    if (order && graceSeconds > 0) graceSeconds -= await order.waitForTurn(container.name, graceSeconds, services.clock)
    await services.runtime.stopContainer(container.id, Math.max(graceMinSeconds, Math.floor(graceSeconds)))
  } finally {
    order?.ended(container.name)
  }
}

/** The grace period of a container's end: the deletion's, or the failed probe's own, or the pod's. */
function graceOf(pod: Frozen<Pod>, container: Frozen<Container> | undefined, reason: KillReason): number {
  const { deletionGracePeriodSeconds } = pod.metadata
  if (deletionGracePeriodSeconds !== undefined) return deletionGracePeriodSeconds
  const ofPod = pod.spec?.terminationGracePeriodSeconds
  if (ofPod === undefined) return graceMinSeconds
  const probe: Frozen<Probe> | undefined =
    reason === 'StartupProbe'
      ? container?.startupProbe
      : reason === 'LivenessProbe'
        ? container?.livenessProbe
        : undefined
  return probe?.terminationGracePeriodSeconds ?? ofPod
}

/** Seconds that the hook took. It gets no more than the grace period; what is left of it goes on beside the stop. */
async function runPreStop(
  task: PodTask,
  { spec, options, graceSeconds }: { spec: Frozen<Container>; options: ContainerKillOptions; graceSeconds: number },
): Promise<number> {
  const { pod, services } = task
  const startMs = services.clock.now()
  const subject = {
    pod,
    container: spec,
    containerId: options.container.id,
    podIp: ipsOf(options.state)[0] ?? services.node().hostIps[0] ?? '',
  }
  const hook = runHook(spec.lifecycle!.preStop!, subject, {
    runtime: services.runtime,
    clock: services.clock,
    dial: services.host.dial,
  }).catch((error: unknown) => {
    services.log.warn({ err: error, pod: pod.metadata.name, container: spec.name }, 'preStop hook failed')
    services.events.container(subject, 'Warning', 'FailedPreStopHook', 'PreStopHook failed')
  })
  const limit = new AbortController()
  await Promise.race([hook, services.clock.sleep(graceSeconds * 1000, limit.signal).catch(() => undefined)]) // The sleep is aborted when the hook was faster.
  limit.abort()
  return Math.floor((services.clock.now() - startMs) / 1000)
}

/** Sidecars end after the pod's own containers, the last one first. */
export class TerminationOrder {
  readonly #gates = new Map<string, { readonly promise: Promise<void>; readonly resolve: () => void }>()
  /** For each sidecar, whose end it waits for. */
  readonly #after = new Map<string, readonly string[]>()

  constructor(pod: Frozen<Pod>, running: readonly ContainerState[]) {
    for (const { name } of running) this.#gates.set(name, Promise.withResolvers<void>())
    const sidecars = (pod.spec?.initContainers ?? []).filter(isRestartable).map(({ name }) => name)
    const main = (pod.spec?.containers ?? []).map(({ name }) => name)
    for (const [at, name] of sidecars.entries()) this.#after.set(name, [...main, ...sidecars.slice(at + 1)])
  }

  /** Seconds waited, no more than `seconds`. */
  async waitForTurn(name: string, seconds: number, clock: PodTask['services']['clock']): Promise<number> {
    const before = (this.#after.get(name) ?? [])
      .map((other) => this.#gates.get(other)?.promise)
      .filter((promise) => promise !== undefined)
    if (before.length === 0) return 0
    const startMs = clock.now()
    const limit = new AbortController()
    await Promise.race([Promise.all(before), clock.sleep(seconds * 1000, limit.signal).catch(() => undefined)]) // Aborted when the others ended first.
    limit.abort()
    return Math.floor((clock.now() - startMs) / 1000)
  }

  ended(name: string): void {
    this.#gates.get(name)?.resolve()
  }
}
