import type { ContainerStatus, Pod, PodCondition } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { isRestartable } from '../pod/containers.ts'

/** The conditions that the kubelet writes; all others belong to somebody else and are kept. */
export const ownConditions: ReadonlySet<string> = new Set([
  'PodScheduled',
  'Ready',
  'Initialized',
  'ContainersReady',
  'PodReadyToStartContainers',
  'PodResizePending',
  'PodResizeInProgress',
  'AllContainersRestarting',
])

/** What conditions are made from. */
export interface ConditionSources {
  readonly pod: Frozen<Pod>
  /** Of init and regular containers. */
  readonly statuses: readonly Frozen<ContainerStatus>[]
  readonly phase: string
  /** The pod has a sandbox with its network. */
  readonly sandboxReady: boolean
  /** Conditions of others, for the readiness gates. */
  readonly others: readonly Frozen<PodCondition>[]
  readonly nowText: string
}

type Verdict = Pick<PodCondition, 'type' | 'status' | 'reason' | 'message'>

/** The kubelet's conditions, in upstream's order. A condition whose status did not change keeps its time. */
export function podConditions(sources: ConditionSources, previous: readonly Frozen<PodCondition>[]): PodCondition[] {
  const { pod, nowText } = sources
  const containersReady = containersReadyVerdict(sources)
  const verdicts: Verdict[] = [
    { type: 'PodReadyToStartContainers', status: sources.sandboxReady ? 'True' : 'False' },
    initializedVerdict(sources),
    readyVerdict(containersReady, sources),
    containersReady,
    { type: 'PodScheduled', status: 'True' },
  ]
  return verdicts.map((verdict) => {
    const before = previous.find(({ type }) => type === verdict.type)
    const unchanged = before?.status === verdict.status && before.lastTransitionTime
    return {
      ...verdict,
      lastProbeTime: null as unknown as string, // As upstream has it: present and null.
      lastTransitionTime: unchanged ? before.lastTransitionTime! : nowText,
      ...(pod.metadata.generation !== undefined && { observedGeneration: pod.metadata.generation }),
    }
  })
}

/** Go prints a list of strings so: [a b]. */
const listText = (names: readonly string[]) => `[${names.join(' ')}]`

function unreadyText(unknown: readonly string[], rest: readonly string[], word: string): string {
  const parts = []
  if (unknown.length > 0) parts.push(`containers with unknown status: ${listText(unknown)}`)
  if (rest.length > 0) parts.push(`containers with ${word} status: ${listText(rest)}`)
  return parts.join(', ')
}

function containersReadyVerdict({ pod, statuses, phase }: ConditionSources): Verdict {
  const type = 'ContainersReady'
  const wanted = [...(pod.spec?.initContainers ?? []).filter(isRestartable), ...(pod.spec?.containers ?? [])]
  const unknown: string[] = []
  const unready: string[] = []
  for (const { name } of wanted) {
    const status = statuses.find((one) => one.name === name)
    if (!status) unknown.push(name)
    else if (!status.ready) unready.push(name)
  }
  if (phase === 'Succeeded' && unknown.length === 0) return { type, status: 'False', reason: 'PodCompleted' }
  if (phase === 'Failed') return { type, status: 'False', reason: 'PodFailed' }
  const message = unreadyText(unknown, unready, 'unready')
  return message ? { type, status: 'False', reason: 'ContainersNotReady', message } : { type, status: 'True' }
}

function readyVerdict(containersReady: Verdict, { pod, others }: ConditionSources): Verdict {
  if (containersReady.status !== 'True') return { ...containersReady, type: 'Ready' }
  const messages: string[] = []
  for (const { conditionType } of pod.spec?.readinessGates ?? []) {
    const condition = others.find(({ type }) => type === conditionType)
    if (!condition) messages.push(`corresponding condition of pod readiness gate "${conditionType}" does not exist.`)
    else if (condition.status !== 'True')
      messages.push(`the status of pod readiness gate "${conditionType}" is not "True", but ${condition.status}`)
  }
  return messages.length > 0
    ? { type: 'Ready', status: 'False', reason: 'ReadinessGatesNotReady', message: messages.join(', ') }
    : { type: 'Ready', status: 'True' }
}

function initializedVerdict({ pod, statuses, phase }: ConditionSources): Verdict {
  const type = 'Initialized'
  const unknown: string[] = []
  const incomplete: string[] = []
  for (const container of pod.spec?.initContainers ?? []) {
    const status = statuses.find(({ name }) => name === container.name)
    if (!status) unknown.push(container.name)
    else if (!(isRestartable(container) ? status.started : status.ready)) incomplete.push(container.name)
  }
  if (phase === 'Succeeded' && unknown.length === 0) return { type, status: 'True', reason: 'PodCompleted' }
  const names = new Set((pod.spec?.containers ?? []).map(({ name }) => name))
  // Once a regular container has run, sidecars that restart do not take it back.
  if (
    statuses.some(
      ({ name, state, lastState }) => names.has(name) && (state?.running || state?.terminated || lastState?.terminated),
    )
  )
    return { type, status: 'True' }
  const message = unreadyText(unknown, incomplete, 'incomplete')
  return message ? { type, status: 'False', reason: 'ContainersNotInitialized', message } : { type, status: 'True' }
}
