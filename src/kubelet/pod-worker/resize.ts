import type { Pod, PodCondition, ResourceRequirements } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { timestamp } from '../../client/object.ts'
import { isRestartable, isStaticPod, type AnyContainer } from '../pod/containers.ts'
import { amountsOf, podAmounts, type Amounts } from '../pod/resources.ts'
import { containerOf, type ContainerState, type PodState } from '../runtime-state/pod-state.ts'
import type { Rejection } from './admission.ts'

type Resources = Frozen<ResourceRequirements>

/** What the node has granted a pod, and what its containers were given: between the two a resize is under way. Only its worker writes it. */
export interface ResizeMemory {
  /** By container name; undefined: the pod is new here. */
  granted: Map<string, Resources> | undefined
  /** By container id. */
  readonly given: Map<string, Resources>
  pending: PodCondition | undefined
  inProgress: PodCondition | undefined
}

/** A pod of which nothing is known yet. */
export const newResizeMemory = (): ResizeMemory => ({
  granted: undefined,
  given: new Map(),
  pending: undefined,
  inProgress: undefined,
})

/** What granting is decided with. */
export interface GrantSources {
  readonly state: PodState
  readonly allocatable: Readonly<Record<string, string>>
  /** Whether the pod fits beside the others. */
  readonly fits: (pod: Frozen<Pod>) => Promise<Rejection | undefined>
  readonly event: (type: 'Normal' | 'Warning', reason: string, message: string) => void
  readonly nowMs: number
}

/** The pod with the resources that the node has granted it. Asked for more, the node grants it when it fits; else the pod goes on with what it has, and a condition says why. */
export async function grant(pod: Frozen<Pod>, memory: ResizeMemory, sources: GrantSources): Promise<Frozen<Pod>> {
  memory.granted ??= initialGrant(pod, sources.state)
  const granted = withResources(pod, memory.granted)
  if (sameForPod(pod, granted)) {
    memory.pending = undefined
    return pod
  }
  const refusal = await refusalOf(pod, sources)
  if (!refusal) {
    memory.granted = resourcesOf(pod)
    memory.pending = undefined
    memory.inProgress = condition(
      'PodResizeInProgress',
      { reason: '', message: '' },
      { pod, nowMs: sources.nowMs, before: undefined },
    )
    sources.event('Normal', 'ResizeStarted', `Pod resize started: ${summary(pod)}`)
    return pod
  }
  const before = memory.pending
  memory.pending = condition('PodResizePending', refusal, { pod, nowMs: sources.nowMs, before })
  if (before?.reason !== refusal.reason || before.observedGeneration !== pod.metadata.generation)
    sources.event(
      'Warning',
      `Resize${refusal.reason}`,
      `Pod resize ${refusal.reason}: ${summary(pod, refusal.message)}`,
    )
  return granted
}

async function refusalOf(pod: Frozen<Pod>, { allocatable, fits }: GrantSources): Promise<Rejection | undefined> {
  if (isStaticPod(pod)) return { reason: 'Infeasible', message: 'In-place resize of static-pods is not supported' }
  const wanted = podAmounts(pod, 'requests')
  const whole = amountsOf(allocatable)
  for (const name of ['memory', 'cpu']) {
    if ((wanted[name] ?? 0) > (whole[name] ?? Infinity))
      return {
        reason: 'Infeasible',
        message: `Node didn't have enough capacity: ${name}, requested: ${wanted[name]}, capacity: ${whole[name]}`,
      }
  }
  const rejection = await fits(pod)
  return rejection && { reason: 'Deferred', message: rejection.message }
}

const resizable = (pod: Frozen<Pod>): AnyContainer[] => [
  ...(pod.spec?.initContainers ?? []),
  ...(pod.spec?.containers ?? []),
]

const resourcesOf = (pod: Frozen<Pod>) => new Map(resizable(pod).map(({ name, resources }) => [name, resources ?? {}]))

/** A pod that ran before this kubelet was granted what its status shows. */
function initialGrant(pod: Frozen<Pod>, state: PodState): Map<string, Resources> {
  const granted = resourcesOf(pod)
  if (state.containers.length === 0) return granted
  for (const { name, resources } of [
    ...(pod.status?.containerStatuses ?? []),
    ...(pod.status?.initContainerStatuses ?? []),
  ]) {
    const spec = granted.get(name)
    if (resources && spec)
      granted.set(name, {
        ...spec,
        ...(resources.limits && { limits: resources.limits }),
        ...(resources.requests && { requests: resources.requests }),
      })
  }
  return granted
}

function withResources(pod: Frozen<Pod>, resources: ReadonlyMap<string, Resources>): Frozen<Pod> {
  const replaced = <T extends AnyContainer>(list: readonly T[] | undefined) =>
    list?.map((container) => ({ ...container, resources: resources.get(container.name) ?? container.resources ?? {} }))
  const spec = {
    ...pod.spec!,
    containers: replaced(pod.spec?.containers) ?? [],
    ...(pod.spec?.initContainers && { initContainers: replaced(pod.spec.initContainers)! }),
  }
  return { ...pod, spec }
}

const counted = ['cpu', 'memory'] as const

const sameAmounts = (a: Amounts, b: Amounts) => counted.every((name) => (a[name] ?? 0) === (b[name] ?? 0))

/** Equal in what can be resized, however it is written. */
const sameResources = (a: Resources | undefined, b: Resources | undefined) =>
  sameAmounts(amountsOf(a?.requests), amountsOf(b?.requests)) && sameAmounts(amountsOf(a?.limits), amountsOf(b?.limits))

const sameForPod = (a: Frozen<Pod>, b: Frozen<Pod>) =>
  resizable(a).every((container, i) => sameResources(container.resources, resizable(b)[i]?.resources))

/** What a running container was given: recorded when it was made, else as its status has it. */
export function givenTo(
  pod: Frozen<Pod>,
  container: AnyContainer,
  running: ContainerState,
  memory: ResizeMemory,
): Resources {
  const known = memory.given.get(running.id)
  if (known) return known
  const told = [...(pod.status?.containerStatuses ?? []), ...(pod.status?.initContainerStatuses ?? [])].find(
    ({ containerID }) => containerID?.endsWith(`://${running.id}`),
  )
  const given = told?.resources ?? container.resources ?? {}
  memory.given.set(running.id, given)
  return given
}

/** What a running container needs, to have what was granted: nothing, an update in place, or a restart where its policy says so. */
export function resizeNeed(container: AnyContainer, given: Resources): 'none' | 'update' | 'restart' {
  if (sameResources(container.resources, given)) return 'none'
  const changed = counted.filter((name) =>
    (['requests', 'limits'] as const).some(
      (side) => (amountsOf(container.resources?.[side])[name] ?? 0) !== (amountsOf(given[side])[name] ?? 0),
    ),
  )
  return container.resizePolicy?.some(
    ({ resourceName, restartPolicy }) =>
      changed.includes(resourceName as (typeof counted)[number]) && restartPolicy === 'RestartContainer',
  )
    ? 'restart'
    : 'update'
}

/** The pod as its containers are now: before a resize its cgroup must have room for both. */
export function givenPod(pod: Frozen<Pod>, state: PodState, memory: ResizeMemory): Frozen<Pod> {
  const given = new Map<string, Resources>()
  for (const container of resizable(pod)) {
    const running = containerOf(state, container.name)
    if (running?.phase === 'running') given.set(container.name, givenTo(pod, container, running, memory))
  }
  return withResources(pod, given)
}

/** A resize that is done is told, once. */
export function settleResize(
  pod: Frozen<Pod>,
  state: PodState,
  memory: ResizeMemory,
  event: GrantSources['event'],
): void {
  for (const id of memory.given.keys())
    if (!state.containers.some((container) => container.id === id)) memory.given.delete(id)
  if (!memory.inProgress) return
  const open = resizable(pod).some((container) => {
    const running = containerOf(state, container.name)
    if (running?.phase !== 'running' || (pod.spec?.initContainers?.includes(container) && !isRestartable(container)))
      return false
    return resizeNeed(container, givenTo(pod, container, running, memory)) !== 'none'
  })
  if (open) return
  memory.inProgress = undefined
  event('Normal', 'ResizeCompleted', `Pod resize completed: ${summary(pod)}`)
}

/** The resize could not be carried out; it is tried again. */
export function failResize(
  pod: Frozen<Pod>,
  memory: ResizeMemory,
  {
    message,
    nowMs,
    event,
  }: { readonly message: string; readonly nowMs: number; readonly event: GrantSources['event'] },
): void {
  const before = memory.inProgress
  memory.inProgress = condition('PodResizeInProgress', { reason: 'Error', message }, { pod, nowMs, before })
  if (before?.reason !== 'Error' || before.message !== message)
    event('Warning', 'ResizeError', `Pod resize error: ${summary(pod, message)}`)
}

function condition(
  type: string,
  { reason, message }: Rejection,
  {
    pod,
    nowMs,
    before,
  }: { readonly pod: Frozen<Pod>; readonly nowMs: number; readonly before: PodCondition | undefined },
): PodCondition {
  const now = timestamp(nowMs)
  return {
    type,
    status: 'True',
    lastProbeTime: now,
    lastTransitionTime: before?.reason === reason && before.lastTransitionTime ? before.lastTransitionTime : now,
    ...(reason && { reason }),
    ...(message && { message }),
    ...(pod.metadata.generation !== undefined && { observedGeneration: pod.metadata.generation }),
  }
}

/** As upstream's events put it: the resources of every container, as JSON. */
function summary(pod: Frozen<Pod>, error?: string): string {
  const of = (list: readonly AnyContainer[] | undefined) =>
    list?.map(({ name, resources = {} }) => ({ name, resources }))
  return JSON.stringify({
    ...(pod.spec?.initContainers?.length && { initContainers: of(pod.spec.initContainers) }),
    containers: of(pod.spec?.containers),
    generation: pod.metadata.generation ?? 0,
    ...(error && { error }),
  })
}
