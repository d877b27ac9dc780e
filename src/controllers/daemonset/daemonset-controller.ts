import { controllerRevisions, daemonSets, nodes, pods } from '../../api/generated/resources.ts'
import type { ControllerRevision, DaemonSet, DaemonSetStatus } from '../../api/generated/types/apps-v1.ts'
import type { Node, Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { isBeingDeleted, labelsOf, nameOf, namespaceOf, uidOf } from '../../client/object.ts'
import { candidatesOf } from '../framework/candidates.ts'
import {
  defineController,
  done,
  ownedBy,
  requeueAfter,
  watch,
  type Context,
  type Outcome,
} from '../framework/controller.ts'
import { same, withoutZeros } from '../framework/equality.ts'
import { isAvailable, isReady, isTerminal, nextAvailableInMs } from '../framework/pod.ts'
import { selects, selectsAll } from '../../api/selector/label-selector.ts'
import { byRevision, hashOf, revisionHashLabel, surplusRevisions, syncHistory } from '../history/revisions.ts'
import { FailureBackoff } from './failure-backoff.ts'
import { daemonPod, isUpdated, nodeOf, placement } from './daemon-pod.ts'
import { planPlacement, planUpdate, type DaemonPlan, type Seen } from './daemon-plan.ts'

type FrozenSet = Frozen<DaemonSet>
type C = Context<DaemonSet, FailureBackoff>

/** No more pods are made or deleted in one go. */
const burst = 250

/** Runs a pod on every node, or on every node of some sort. */
export const daemonSetController = defineController<DaemonSet, FailureBackoff>({
  name: 'daemonset-controller',
  reconciles: daemonSets,
  watches: [
    ownedBy(daemonSets, pods, { adopts: (ds, pod) => selects(ds.spec?.selector, labelsOf(pod)) }),
    ownedBy(daemonSets, controllerRevisions, {
      adopts: (ds, revision) => selects(ds.spec?.selector, labelsOf(revision)),
    }),
    watch(
      nodes,
      (_node, { informers }) =>
        informers
          .of(daemonSets)
          .list()
          .map((ds) => `${namespaceOf(ds)}/${nameOf(ds)}`),
      nodeChanged,
    ),
  ],
  events: [
    'SelectingAll',
    'FailedPlacement',
    'FailedDaemonPod',
    'SucceededDaemonPod',
    'SuccessfulCreate',
    'FailedCreate',
    'SuccessfulDelete',
    'FailedDelete',
  ],
  parallel: 2,
  memory: ({ clock }) => new FailureBackoff(clock),
  reconcile,
})

/** Only what decides on placement. */
function nodeChanged(node: Frozen<Node>, old: Frozen<Node>): boolean {
  return !same(labelsOf(node), labelsOf(old)) || !same(node.spec?.taints, old.spec?.taints)
}

async function reconcile(ds: FrozenSet, c: C): Promise<Outcome> {
  const caughtUp = c.caughtUp(ds)
  if (selectsAll(ds.spec?.selector)) {
    c.event(ds, 'Warning', 'SelectingAll', 'This daemon set is selecting all pods. A non-empty selector is required.')
    return done
  }
  if (isBeingDeleted(ds)) return done
  const matches = (object: Frozen<Pod> | Frozen<ControllerRevision>) => selects(ds.spec?.selector, labelsOf(object))
  const own = await c.claim(ds, pods, matches, { candidates: candidatesOf(c.of(pods), ds) })
  const revisions = await c.claim(ds, controllerRevisions, matches)
  const { current, old } = caughtUp
    ? await syncHistory(historyOf(ds, c), revisions, c)
    : { current: [...revisions].sort(byRevision).at(-1), old: [] }
  const seen: Seen = {
    ds,
    hash: current ? hashOf(current) : '',
    nodes: c.of(nodes).list(),
    pods: byNode(own),
    nowMs: c.clock.now(),
  }

  let failure: unknown
  let againMs: number | undefined
  try {
    if (caughtUp) againMs = await bringToPlan(seen, old, own, c)
  } catch (error) {
    failure = error // thrown on below, when the status has told what is there
  }
  await c.writeStatus(ds, statusOf(seen, caughtUp))
  if (failure !== undefined) throw failure
  const availableMs = nextAvailableInMs(own, ds.spec?.minReadySeconds ?? 0, c.clock.now())
  return requeueAfter(againMs === undefined ? availableMs : Math.min(againMs, availableMs ?? Infinity))
}

const historyOf = (ds: FrozenSet, c: C) => ({
  resource: daemonSets,
  owner: ds,
  data: { spec: { template: { ...ds.spec?.template, $patch: 'replace' } } },
  hashLabel: revisionHashLabel,
  labels: ds.spec?.template.metadata?.labels ?? {},
  collisions: ds.status?.collisionCount ?? 0,
  collided: async () =>
    void (await c.writeStatus(ds, { ...ds.status, collisionCount: (ds.status?.collisionCount ?? 0) + 1 })),
})

function byNode(own: readonly Frozen<Pod>[]): Map<string, Frozen<Pod>[]> {
  const map = new Map<string, Frozen<Pod>[]>()
  for (const pod of own) {
    // Nobody waits for a pod that has ended and is being deleted.
    if (isBeingDeleted(pod) && isTerminal(pod)) continue
    const node = nodeOf(pod)
    map.set(node, [...(map.get(node) ?? []), pod])
  }
  return map
}

/** Carries out placement and, when nothing is under way, a step of the update. Gives when to look again at failed pods. */
async function bringToPlan(
  seen: Seen,
  old: readonly Frozen<ControllerRevision>[],
  own: readonly Frozen<Pod>[],
  c: C,
): Promise<number | undefined> {
  const { ds } = seen
  const plan = planPlacement(seen)
  const dead: Frozen<Pod>[] = []
  let againMs: number | undefined
  for (const { pod, node } of plan.failed) {
    const waitMs = c.memory.waitMs(`${uidOf(ds)}/${ds.metadata.generation}/${node}`)
    if (waitMs > 0) {
      againMs = Math.min(againMs ?? Infinity, waitMs)
      continue
    }
    c.event(
      ds,
      'Warning',
      'FailedDaemonPod',
      `Found failed daemon pod ${namespaceOf(pod)}/${nameOf(pod)} on node ${node}, will try to kill it`,
    )
    dead.push(pod)
  }
  for (const { pod, node } of plan.succeeded) {
    c.event(
      ds,
      'Normal',
      'SucceededDaemonPod',
      `Found succeeded daemon pod ${namespaceOf(pod)}/${nameOf(pod)} on node ${node}, will try to delete it`,
    )
    dead.push(pod)
  }
  await carryOut(seen, { create: plan.create, remove: [...plan.remove, ...dead] }, c)
  const idle = plan.create.length + plan.remove.length + dead.length === 0
  // Whatever placement changed is seen first.
  if (idle && (ds.spec?.updateStrategy?.type ?? 'RollingUpdate') === 'RollingUpdate')
    await carryOut(seen, planUpdate(seen), c)
  const live = new Set(own.map((pod) => labelsOf(pod)[revisionHashLabel]))
  const limit = ds.spec?.revisionHistoryLimit ?? 10
  for (const revision of surplusRevisions(old, limit, (each) => live.has(hashOf(each))))
    await c.remove(ds, controllerRevisions, revision)
  return againMs
}

async function carryOut({ ds, hash }: Seen, { create, remove }: DaemonPlan, c: C): Promise<void> {
  await c.createPods(
    ds,
    create.slice(0, burst).map((node) => daemonPod(ds, node, hash)),
  )
  await c.deletePods(ds, remove.slice(0, burst))
}

/** What the status says of what was seen. `processed`: this generation was acted on. */
export function statusOf(
  { ds, hash, nodes: all, pods: map, nowMs }: Seen,
  processed: boolean,
): Frozen<DaemonSetStatus> {
  let [desired, current, misscheduled, ready, updated, available] = [0, 0, 0, 0, 0, 0]
  for (const node of all) {
    const here = [...(map.get(nameOf(node)) ?? [])]
    if (!placement(ds, node).run) {
      misscheduled += Number(here.length > 0)
      continue
    }
    desired++
    const [first] = here.sort(
      (a, b) =>
        Number(!a.spec?.nodeName) - Number(!b.spec?.nodeName) ||
        ((a.metadata.creationTimestamp ?? '') < (b.metadata.creationTimestamp ?? '') ? -1 : 1),
    )
    if (!first) continue
    current++
    ready += Number(isReady(first))
    available += Number(isAvailable(first, ds.spec?.minReadySeconds ?? 0, nowMs))
    updated += Number(isUpdated(first, ds, hash))
  }
  const status: Frozen<DaemonSetStatus> = {
    ...ds.status,
    ...(processed && ds.metadata.generation !== undefined && { observedGeneration: ds.metadata.generation }),
    desiredNumberScheduled: desired,
    currentNumberScheduled: current,
    numberMisscheduled: misscheduled,
    numberReady: ready,
    updatedNumberScheduled: updated,
    numberAvailable: available,
    numberUnavailable: desired - available,
  }
  return withoutZeros(status, [
    'currentNumberScheduled',
    'numberMisscheduled',
    'desiredNumberScheduled',
    'numberReady',
    'collisionCount',
  ])
}
