import {
  deployments,
  podDisruptionBudgets,
  pods,
  replicaSets,
  replicationControllers,
  statefulSets,
} from '../../api/generated/resources.ts'
import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { PodDisruptionBudget, PodDisruptionBudgetStatus } from '../../api/generated/types/policy-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { keyOf } from '../../api/resource.ts'
import { referenceTo } from '../../client/events/recorder.ts'
import { isBeingDeleted, labelsOf, msOf, nameOf, namespaceOf, timestamp, uidOf } from '../../client/object.ts'
import { withCondition } from '../framework/conditions.ts'
import { messageOf } from '../framework/context.ts'
import { defineController, done, requeueAfter, watch, type Context, type Outcome } from '../framework/controller.ts'
import { scaled } from '../framework/int-or-percent.ts'
import { isReady, podCondition } from '../framework/pod.ts'
import { selects, selectorText } from '../../api/selector/label-selector.ts'
import { expectedScale } from './expected-scale.ts'

type Budget = Frozen<PodDisruptionBudget>
type FrozenPod = Frozen<Pod>
type C = Context<PodDisruptionBudget>

/** An eviction that was granted must show in the pod within this time; else it did not happen. */
const disruptionMs = 120_000

/** Says how many of the pods that a budget selects may be evicted now. */
export const disruptionController = defineController<PodDisruptionBudget>({
  name: 'disruption-controller',
  component: 'controllermanager',
  reconciles: podDisruptionBudgets,
  watches: [
    watch(pods, (pod, { informers }) =>
      informers
        .of(podDisruptionBudgets)
        .list(namespaceOf(pod))
        .filter((budget) => selects(budget.spec?.selector, labelsOf(pod)))
        .map((budget) => `${namespaceOf(budget)}/${nameOf(budget)}`),
    ),
  ],
  reads: [deployments, replicaSets, replicationControllers, statefulSets],
  events: ['NoPods', 'UnmanagedPods', 'CalculateExpectedPodCountFailed', 'NotDeleted'],
  parallel: 5,
  setup(c) {
    // A change of size changes the budgets of the namespace.
    const wake = (object: { readonly metadata: { readonly namespace?: string } }) => {
      for (const budget of c.of(podDisruptionBudgets).list(object.metadata.namespace))
        c.enqueue(`${namespaceOf(budget)}/${nameOf(budget)}`)
    }
    const resized = (
      object: Frozen<{ metadata: { namespace?: string }; spec?: { replicas?: number } }>,
      old: Frozen<{ spec?: { replicas?: number } }>,
    ) => void (object.spec?.replicas !== old.spec?.replicas && wake(object))
    c.of(deployments).on({ updated: resized })
    c.of(replicaSets).on({ updated: resized })
    c.of(replicationControllers).on({ updated: resized })
    c.of(statefulSets).on({ updated: resized })
  },
  reconcile,
})

async function reconcile(budget: Budget, c: C): Promise<Outcome> {
  const selected = c
    .of(pods)
    .list(namespaceOf(budget))
    .filter((pod) => selects(budget.spec?.selector, labelsOf(pod)))
  if (selected.length === 0) c.event(budget, 'Normal', 'NoPods', 'No matching pods found')
  const nowMs = c.clock.now()
  let counts: { expected: number; desired: number }
  try {
    counts = await countsFor(budget, selected, c)
  } catch (error) {
    c.event(
      budget,
      'Warning',
      'CalculateExpectedPodCountFailed',
      `Failed to calculate the number of expected pods: ${messageOf(error)}`,
    )
    await failSafe(budget, messageOf(error), nowMs, c)
    throw error
  }
  const { disruptedPods, overdue, nextMs } = disruptedPodsOf(budget, selected, nowMs)
  for (const pod of overdue)
    c.recorder.event(
      referenceTo(pods, pod),
      'Warning',
      'NotDeleted',
      `Pod was expected by PDB ${namespaceOf(budget)}/${nameOf(budget)} to be deleted but it wasn't`,
    )
  const healthy = selected.filter(
    (pod) => !isBeingDeleted(pod) && disruptedPods[nameOf(pod)] === undefined && isReady(pod),
  ).length
  const staleMs = await clearStale(selected, nowMs, c)
  // The first status is written even if all counts in it are 0.
  await c.writeStatus(
    budget,
    statusOf(budget, { ...counts, healthy, disruptedPods, nowMs }),
    budget.status?.conditions === undefined,
  )
  const waits = [nextMs, staleMs].filter((ms) => ms !== undefined)
  return waits.length > 0 ? requeueAfter(Math.min(...waits)) : done
}

/** How many pods there should be, and how many of them have to serve. */
async function countsFor(
  budget: Budget,
  selected: readonly FrozenPod[],
  c: C,
): Promise<{ expected: number; desired: number }> {
  const { minAvailable, maxUnavailable } = budget.spec ?? {}
  if (maxUnavailable !== undefined || typeof minAvailable === 'string') {
    const { expected, unmanaged } = await expectedScale(selected, c)
    if (unmanaged.length > 0) tellUnmanaged(budget, c)
    if (maxUnavailable !== undefined)
      return { expected, desired: Math.max(0, expected - (scaled(maxUnavailable, expected, 'up') ?? 0)) }
    return { expected, desired: scaled(minAvailable, expected, 'up') ?? 0 }
  }
  return { expected: selected.length, desired: typeof minAvailable === 'number' ? minAvailable : 1 }
}

function tellUnmanaged(budget: Budget, c: C): void {
  const selector = selectorText(budget.spec?.selector)
  c.event(
    budget,
    'Warning',
    'UnmanagedPods',
    `Pods selected by this PodDisruptionBudget (selector: ${selector}) were found to be unmanaged. As a result, the status of the PDB cannot be calculated correctly, which may result in undefined behavior. To account for these pods please set ".spec.minAvailable" field of the PDB to an integer value.`,
  )
}

/** Pods whose eviction was granted and is not visible yet, and those where it should have been long ago. */
function disruptedPodsOf(
  budget: Budget,
  selected: readonly FrozenPod[],
  nowMs: number,
): { disruptedPods: Record<string, string>; overdue: readonly FrozenPod[]; nextMs: number | undefined } {
  const disruptedPods: Record<string, string> = {}
  const overdue: FrozenPod[] = []
  let nextMs: number | undefined
  for (const pod of selected) {
    const since = budget.status?.disruptedPods?.[nameOf(pod)]
    if (since === undefined || isBeingDeleted(pod)) continue
    const leftMs = msOf(since) + disruptionMs - nowMs
    if (leftMs <= 0) {
      overdue.push(pod)
      continue
    }
    disruptedPods[nameOf(pod)] = since
    nextMs = Math.min(nextMs ?? Infinity, leftMs)
  }
  return { disruptedPods, overdue, nextMs }
}

/** Takes back the word that a pod is being disrupted when nothing came of it. Gives when to look again. */
async function clearStale(selected: readonly FrozenPod[], nowMs: number, c: C): Promise<number | undefined> {
  let nextMs: number | undefined
  for (const pod of selected) {
    const condition = podCondition(pod, 'DisruptionTarget')
    if (
      condition?.status !== 'True' ||
      isBeingDeleted(pod) ||
      pod.status?.phase === 'Failed' ||
      pod.status?.phase === 'Succeeded' ||
      !condition.lastTransitionTime
    )
      continue
    const leftMs = msOf(condition.lastTransitionTime) + disruptionMs - nowMs
    if (leftMs > 0) {
      nextMs = Math.min(nextMs ?? Infinity, leftMs)
      continue
    }
    const cleared = { type: 'DisruptionTarget', status: 'False', lastTransitionTime: timestamp(nowMs) }
    await c.client.patch(
      pods,
      keyOf(pod),
      { metadata: { uid: uidOf(pod) }, status: { conditions: [cleared] } },
      { type: 'strategic', subresource: 'status' },
    )
  }
  return nextMs
}

interface Seen {
  readonly expected: number
  readonly desired: number
  readonly healthy: number
  readonly disruptedPods: Readonly<Record<string, string>>
  readonly nowMs: number
}

/** What the status says. */
export function statusOf(
  budget: Budget,
  { expected, desired, healthy, disruptedPods, nowMs }: Seen,
): Frozen<PodDisruptionBudgetStatus> {
  // A budget about nothing allows nothing.
  const allowed = expected <= 0 ? 0 : Math.max(0, healthy - desired)
  const generation = budget.metadata.generation ?? 0
  const condition = {
    type: 'DisruptionAllowed',
    status: allowed > 0 ? 'True' : 'False',
    reason: allowed > 0 ? 'SufficientPods' : 'InsufficientPods',
    message: '',
    observedGeneration: generation,
    lastTransitionTime: timestamp(nowMs),
  }
  return {
    currentHealthy: healthy,
    desiredHealthy: desired,
    expectedPods: expected,
    disruptionsAllowed: allowed,
    observedGeneration: generation,
    ...(Object.keys(disruptedPods).length > 0 && { disruptedPods }),
    conditions: withCondition(budget.status?.conditions, condition),
  }
}

async function failSafe(budget: Budget, message: string, nowMs: number, c: C): Promise<void> {
  const generation = budget.metadata.generation ?? 0
  const condition = {
    type: 'DisruptionAllowed',
    status: 'False',
    reason: 'SyncFailed',
    message,
    observedGeneration: generation,
    lastTransitionTime: timestamp(nowMs),
  }
  const { currentHealthy = 0, desiredHealthy = 0, expectedPods = 0 } = budget.status ?? {}
  await c.writeStatus(budget, {
    ...budget.status,
    currentHealthy,
    desiredHealthy,
    expectedPods,
    disruptionsAllowed: 0,
    conditions: withCondition(budget.status?.conditions, condition),
  })
}
