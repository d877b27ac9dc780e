import { deployments, pods, replicaSets } from '../../api/generated/resources.ts'
import type { Deployment, ReplicaSet } from '../../api/generated/types/apps-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import {
  annotationsOf,
  controllerOf,
  isBeingDeleted,
  labelsOf,
  nameOf,
  namespaceOf,
  uidOf,
} from '../../client/object.ts'
import { conditionOf } from '../framework/conditions.ts'
import {
  defineController,
  done,
  ownedBy,
  requeueAfter,
  watch,
  type Context,
  type Outcome,
} from '../framework/controller.ts'
import { isTerminal } from '../framework/pod.ts'
import { selects, selectsAll } from '../../api/selector/label-selector.ts'
import { desiredReplicasAnnotation, countIn, rollbackToAnnotation } from './annotations.ts'
import { allOf, resize, syncRevision, trimHistory, type View } from './replica-sets.ts'
import { rollBack } from './rollback.ts'
import {
  activeOrLatest,
  activeSets,
  isRolling,
  isSaturated,
  limitsOf,
  nextSizeOfCurrent,
  proportionalSizes,
  shrunkSizes,
  wantedOf,
} from './size.ts'
import { conditionAt, deadlineInMs, hasDeadline, isComplete, rolloutStatusOf, set, statusOf } from './status.ts'

type C = Context<Deployment>

/** Rolls a Deployment's pods from one template to the next, a ReplicaSet for each. */
export const deploymentController = defineController<Deployment>({
  name: 'deployment-controller',
  reconciles: deployments,
  watches: [
    ownedBy(deployments, replicaSets, { adopts: (deployment, rs) => selects(deployment.spec?.selector, labelsOf(rs)) }),
    // A Deployment that recreates waits for the last old pod to go.
    watch(pods, (pod, { informers }) => {
      if (!isTerminal(pod) && !isBeingDeleted(pod)) return []
      const rs = informers.of(replicaSets).get({ namespace: namespaceOf(pod), name: controllerOf(pod)?.name ?? '' })
      const owner = rs && controllerOf(rs)
      return owner?.kind === 'Deployment' ? [`${namespaceOf(pod)}/${owner.name}`] : []
    }),
  ],
  events: [
    'ScalingReplicaSet',
    'ReplicaSetCreateError',
    'SelectingAll',
    'DeploymentRollback',
    'DeploymentRollbackRevisionNotFound',
    'DeploymentRollbackTemplateUnchanged',
  ],
  parallel: 5,
  reconcile,
})

async function reconcile(deployment: Frozen<Deployment>, c: C): Promise<Outcome> {
  // What was written to ReplicaSets is not seen yet: from the old state the same would be done again.
  if (!c.caughtUp(deployment)) return done
  if (selectsAll(deployment.spec?.selector)) return refuse(deployment, c)
  const sets = await c.claim(deployment, replicaSets, (rs) => selects(deployment.spec?.selector, labelsOf(rs)))
  if (isBeingDeleted(deployment)) return tellCounts(await syncRevision(deployment, sets, c, false), c)

  const known = await notePause(deployment, c)
  if (known.spec?.paused) return scale(known, sets, c)
  if (annotationsOf(known)[rollbackToAnnotation] !== undefined)
    return rollBack(await syncRevision(known, sets, c, true), c)
  const view = await syncRevision(known, sets, c, false)
  if (wasScaled(view)) return scale(view.deployment, allOf(view), c)
  return isRolling(known) ? roll(view, c) : recreate(view, c)
}

/** An empty selector would take every pod of the namespace. */
async function refuse(deployment: Frozen<Deployment>, c: C): Promise<Outcome> {
  c.event(
    deployment,
    'Warning',
    'SelectingAll',
    'This deployment is selecting all pods. A non-empty selector is required.',
  )
  await c.writeStatus(deployment, { ...deployment.status, observedGeneration: deployment.metadata.generation })
  return done
}

/** While a Deployment is paused, its progress is unknown; its time runs anew when it is resumed. */
async function notePause(deployment: Frozen<Deployment>, c: C): Promise<Frozen<Deployment>> {
  const condition = conditionOf(deployment.status?.conditions, 'Progressing')
  if (!hasDeadline(deployment) || condition?.reason === 'ProgressDeadlineExceeded') return deployment
  const paused = deployment.spec?.paused ?? false
  if (paused === (condition?.reason === 'DeploymentPaused')) return deployment
  const [reason, message] = paused
    ? ['DeploymentPaused', 'Deployment is paused']
    : ['DeploymentResumed', 'Deployment is resumed']
  const next = conditionAt(c.clock.now(), { type: 'Progressing', status: 'Unknown', reason, message })
  return c.writeStatus(deployment, { ...deployment.status, conditions: set(deployment.status?.conditions, next) })
}

/** The Deployment's size is another one than the one noted on its ReplicaSets. */
function wasScaled(view: View): boolean {
  return activeSets(allOf(view)).some((rs) => {
    const noted = countIn(rs, desiredReplicasAnnotation)
    return noted !== undefined && noted !== (view.deployment.spec?.replicas ?? 1)
  })
}

/** Follows the Deployment's size, without going on with a rollout. */
async function scale(deployment: Frozen<Deployment>, sets: readonly Frozen<ReplicaSet>[], c: C): Promise<Outcome> {
  const view = await syncRevision(deployment, sets, c, false)
  const scaled = await resize(view, sizesAfterScaling(view), c)
  if (deployment.spec?.paused) await trimHistory(scaled, c)
  return tellCounts(scaled, c)
}

/** The ReplicaSets' sizes when only the Deployment's size changed. */
export function sizesAfterScaling(view: View): Map<string, number> {
  const limits = limitsOf(view.deployment)
  const one = activeOrLatest(view.current, view.old)
  if (one) return new Map(wantedOf(one) === limits.replicas ? [] : [[nameOf(one), limits.replicas]])
  if (isSaturated(limits.replicas, view.current)) return new Map(activeSets(view.old).map((rs) => [nameOf(rs), 0]))
  if (!isRolling(view.deployment)) return new Map()
  return proportionalSizes(limits, view.deployment.status?.replicas ?? 0, activeSets(allOf(view)))
}

/** One step of a rolling update: the new one grows as far as the surge allows, else the old ones shrink as far as availability allows. */
async function roll(found: View, c: C): Promise<Outcome> {
  const view = found.current ? found : await syncRevision(found.deployment, found.old, c, true)
  const { current } = view
  if (!current) return done
  const limits = limitsOf(view.deployment)
  const size =
    wantedOf(current) >= limits.replicas
      ? limits.replicas
      : nextSizeOfCurrent(limits, allOf(view), wantedOf(current), true)
  if (size !== wantedOf(current)) return tellRollout(await resize(view, new Map([[nameOf(current), size]]), c), c)
  const shrunk = shrunkSizes(limits, current, view.old)
  if (shrunk.size > 0) return tellRollout(await resize(view, shrunk, c), c)
  if (isComplete(view.deployment, view.deployment.status)) await trimHistory(view, c)
  return tellRollout(view, c)
}

/** All old pods go before the first new one comes. */
async function recreate(found: View, c: C): Promise<Outcome> {
  const active = activeSets(found.old)
  if (active.length > 0) return tellRollout(await resize(found, new Map(active.map((rs) => [nameOf(rs), 0])), c), c)
  if (oldPodsRun(found, c)) return tellRollout(found, c)
  const view = found.current ? found : await syncRevision(found.deployment, found.old, c, true)
  const { current } = view
  if (!current) return done
  const scaled = await resize(
    view,
    wantedOf(current) === limitsOf(view.deployment).replicas
      ? new Map()
      : new Map([[nameOf(current), limitsOf(view.deployment).replicas]]),
    c,
  )
  if (isComplete(scaled.deployment, scaled.deployment.status)) await trimHistory(scaled, c)
  return tellRollout(scaled, c)
}

/** A pod of an old template may still run, one that is being deleted included. */
function oldPodsRun(view: View, c: C): boolean {
  return view.old.some(
    (rs) =>
      (rs.status?.replicas ?? 0) > 0 ||
      c
        .of(pods)
        .ownedBy(uidOf(rs))
        .some((pod) => !isTerminal(pod)),
  )
}

async function tellCounts(view: View, c: C): Promise<Outcome> {
  await c.writeStatus(view.deployment, statusOf(view.deployment, allOf(view), view.current, c.clock.now()))
  return done
}

async function tellRollout(view: View, c: C): Promise<Outcome> {
  const nowMs = c.clock.now()
  const status = rolloutStatusOf(view.deployment, allOf(view), view.current, nowMs)
  await c.writeStatus(view.deployment, status)
  return requeueAfter(deadlineInMs(view.deployment, status, nowMs))
}
