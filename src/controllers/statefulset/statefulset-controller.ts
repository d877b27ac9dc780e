import { controllerRevisions, persistentVolumeClaims, pods, statefulSets } from '../../api/generated/resources.ts'
import type { ControllerRevision, StatefulSet, StatefulSetStatus } from '../../api/generated/types/apps-v1.ts'
import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { isBeingDeleted, labelsOf, nameOf, namespaceOf } from '../../client/object.ts'
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
import { withoutZeros } from '../framework/equality.ts'
import { isAvailable, isReady, nextAvailableInMs } from '../framework/pod.ts'
import { selects } from '../../api/selector/label-selector.ts'
import { syncHistory } from '../history/revisions.ts'
import { ordinalOf } from './stateful-pod.ts'
import { bringToOrder } from './stateful-order.ts'
import { revisionOf, type Revisions } from './stateful-revision.ts'

type Set = Frozen<StatefulSet>
type FrozenPod = Frozen<Pod>
type C = Context<StatefulSet>

/** Runs pods that keep their name, their place in the order and their volumes. */
export const statefulSetController = defineController<StatefulSet>({
  name: 'statefulset-controller',
  reconciles: statefulSets,
  watches: [
    ownedBy(statefulSets, pods, { adopts: (set, pod) => selects(set.spec?.selector, labelsOf(pod)) }),
    ownedBy(statefulSets, controllerRevisions),
    // A claim that went lets its pod be made.
    watch(persistentVolumeClaims, (claim, { informers }) =>
      informers
        .of(statefulSets)
        .list(namespaceOf(claim))
        .filter((set) => nameOf(claim).includes(`-${nameOf(set)}-`))
        .map((set) => `${namespaceOf(set)}/${nameOf(set)}`),
    ),
  ],
  events: [
    'SuccessfulCreate',
    'FailedCreate',
    'SuccessfulDelete',
    'FailedDelete',
    'SuccessfulUpdate',
    'FailedUpdate',
    'ConflictingController',
  ],
  parallel: 5,
  reconcile,
})

async function reconcile(set: Set, c: C): Promise<Outcome> {
  if (!c.caughtUp(set)) return done
  const matches = (object: FrozenPod | Frozen<ControllerRevision>) => selects(set.spec?.selector, labelsOf(object))
  const candidates = candidatesOf(c.of(pods), set).filter((pod) => ordinalOf(set, pod) >= 0)
  const own = await c.claim(set, pods, matches, { candidates })
  const history = await c.claim(set, controllerRevisions, matches)
  const { current: update, old } = await syncHistory(historyOf(set, c), history, c)
  const current = [update, ...old].find((revision) => nameOf(revision) === set.status?.currentRevision) ?? update
  const revisions = { current, update }

  let failure: unknown
  try {
    if (!isBeingDeleted(set)) await bringToOrder(set, own, revisions, c)
  } catch (error) {
    failure = error // thrown on below, when the status has told what is there
  }
  const nowMs = c.clock.now()
  await c.writeStatus(set, statusOf(set, own, revisions, nowMs))
  const live = new Set([...own.map(revisionOf), nameOf(revisions.current), nameOf(revisions.update)])
  const unused = old.filter((revision) => !live.has(nameOf(revision)))
  await trim(set, unused, c)
  if (failure !== undefined) throw failure
  return requeueAfter(nextAvailableInMs(own, set.spec?.minReadySeconds ?? 0, nowMs))
}

const historyOf = (set: Set, c: C) => ({
  resource: statefulSets,
  owner: set,
  data: { spec: { template: { ...set.spec?.template, $patch: 'replace' } } },
  hashLabel: 'controller.kubernetes.io/hash',
  labels: set.spec?.template.metadata?.labels ?? {},
  collisions: set.status?.collisionCount ?? 0,
  collided: async () =>
    void (await c.writeStatus(set, { ...set.status, collisionCount: (set.status?.collisionCount ?? 0) + 1 })),
})

/** Deletes the oldest of the revisions that no pod has, beyond those that are kept for rollbacks. */
async function trim(set: Set, unused: readonly Frozen<ControllerRevision>[], c: C): Promise<void> {
  const idle = unused.filter((revision) => !isBeingDeleted(revision))
  const limit = set.spec?.revisionHistoryLimit ?? 10
  for (const revision of idle.slice(0, Math.max(0, idle.length - limit)))
    await c.remove(set, controllerRevisions, revision)
}

/** What the status says of what was seen. */
export function statusOf(
  set: Set,
  own: readonly FrozenPod[],
  { current, update }: Revisions,
  nowMs: number,
): Frozen<StatefulSetStatus> {
  const replicas = set.spec?.replicas ?? 1
  const ready = own.filter((pod) => pod.status?.phase === 'Running' && isReady(pod))
  const staying = own.filter((pod) => !isBeingDeleted(pod))
  const updated = staying.filter((pod) => revisionOf(pod) === nameOf(update)).length
  const complete =
    (set.spec?.updateStrategy?.type ?? 'RollingUpdate') === 'RollingUpdate' &&
    updated === replicas &&
    ready.length === replicas &&
    own.length === replicas
  const status: Frozen<StatefulSetStatus> = {
    observedGeneration: set.metadata.generation ?? 0,
    replicas: own.length,
    readyReplicas: ready.length,
    availableReplicas: ready.filter((pod) => isAvailable(pod, set.spec?.minReadySeconds ?? 0, nowMs)).length,
    currentReplicas: complete ? updated : staying.filter((pod) => revisionOf(pod) === nameOf(current)).length,
    updatedReplicas: updated,
    currentRevision: nameOf(complete ? update : current),
    updateRevision: nameOf(update),
    collisionCount: set.status?.collisionCount ?? 0,
    ...(set.status?.conditions && { conditions: set.status.conditions }),
  }
  return withoutZeros(status, ['replicas', 'availableReplicas', 'collisionCount'])
}
