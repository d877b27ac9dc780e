import { isAlreadyExists } from '../../api/errors/api-error.ts'
import { deployments, replicaSets } from '../../api/generated/resources.ts'
import type { Deployment, ReplicaSet } from '../../api/generated/types/apps-v1.ts'
import type { PodTemplateSpec } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import {
  annotationsOf,
  controllerOf,
  controllerReference,
  isBeingDeleted,
  nameOf,
  namespaceOf,
  uidOf,
} from '../../client/object.ts'
import { conditionOf } from '../framework/conditions.ts'
import { isNamespaceTerminating, messageOf } from '../framework/context.ts'
import type { Context } from '../framework/controller.ts'
import { same } from '../framework/equality.ts'
import { templateHash } from '../framework/hash.ts'
import { compareRevisions, currentAnnotations, revisionAnnotation, revisionOf, sizeAnnotations } from './annotations.ts'
import { byAge, isRolling, limitsOf, nextSizeOfCurrent, wantedOf } from './size.ts'
import { conditionAt, hasDeadline, set } from './status.ts'

type Set = Frozen<ReplicaSet>
type C = Context<Deployment>

/** The label that keeps the pods of different templates apart. */
const hashLabel = 'pod-template-hash'

/** A Deployment and its ReplicaSets, as they are after what was written. */
export interface View {
  readonly deployment: Frozen<Deployment>
  /** That of the Deployment's template, where there is one. */
  readonly current: Set | undefined
  readonly old: readonly Set[]
}

/** All of a view's ReplicaSets. */
export const allOf = ({ current, old }: View): Set[] => (current ? [...old, current] : [...old])

/** The view with changed ReplicaSets in place of those of the same name. */
export function withSets(view: View, changed: readonly Set[]): View {
  const now = (rs: Set) => changed.find((other) => uidOf(other) === uidOf(rs)) ?? rs
  return { ...view, current: view.current && now(view.current), old: view.old.map(now) }
}

/** Finds the current ReplicaSet, numbers it as the newest revision, and makes it where it is missing and `create` says so. */
export async function syncRevision(
  deployment: Frozen<Deployment>,
  sets: readonly Set[],
  c: C,
  create: boolean,
): Promise<View> {
  const current = findCurrent(deployment, sets)
  const old = sets.filter((rs) => rs !== current)
  const revision = old.map(revisionOf).reduce((a, b) => (a > b ? a : b), 0n) + 1n
  if (current) return syncCurrent({ deployment, current, old }, current, revision, c)
  if (!create) return { deployment, current, old }
  return createCurrent(deployment, old, revision, c)
}

/** The oldest ReplicaSet with the Deployment's template: in a cluster upgraded from old versions there may be several. */
export function findCurrent(deployment: Frozen<Deployment>, sets: readonly Set[]): Set | undefined {
  return [...sets].sort(byAge).find((rs) => sameTemplate(deployment.spec?.template, rs.spec?.template))
}

/** Templates are compared without the label that the controller adds. */
export function sameTemplate(a: Frozen<PodTemplateSpec> | undefined, b: Frozen<PodTemplateSpec> | undefined): boolean {
  return same(withoutHash(a), withoutHash(b))
}

/** The template without the label that the controller adds. */
export function withoutHash(template: Frozen<PodTemplateSpec> | undefined): Frozen<PodTemplateSpec> {
  const { [hashLabel]: _, ...labels } = template?.metadata?.labels ?? {}
  const { creationTimestamp: _created, ...metadata } = template?.metadata ?? {}
  return { ...template, metadata: { ...metadata, labels } }
}

async function syncCurrent(view: View, current: Set, revision: bigint, c: C): Promise<View> {
  const { deployment } = view
  const annotations = currentAnnotations(deployment, annotationsOf(current), revision)
  const minReadySeconds = deployment.spec?.minReadySeconds ?? 0
  if (
    current.spec &&
    (!same(annotations, annotationsOf(current)) || (current.spec.minReadySeconds ?? 0) !== minReadySeconds)
  ) {
    const updated = await c.client.update(replicaSets, {
      ...current,
      metadata: { ...current.metadata, annotations },
      spec: { ...current.spec, minReadySeconds },
    })
    c.wrote(deployment, replicaSets, updated)
    const next = withSets(view, [updated])
    return { ...next, deployment: await noteRevision(deployment, updated, undefined, c) }
  }
  const found = { reason: 'FoundNewReplicaSet', message: `Found new replica set "${nameOf(current)}"` }
  const unknown = hasDeadline(deployment) && !conditionOf(deployment.status?.conditions, 'Progressing')
  return { ...view, deployment: await noteRevision(deployment, current, unknown ? found : undefined, c) }
}

/** Writes the revision, and with it why the rollout is where it is. */
async function noteRevision(
  deployment: Frozen<Deployment>,
  current: Set,
  why: { reason: string; message: string } | undefined,
  c: C,
): Promise<Frozen<Deployment>> {
  const revision = annotationsOf(current)[revisionAnnotation] ?? ''
  const changed = annotationsOf(deployment)[revisionAnnotation] !== revision
  if (!changed && !why) return deployment
  const metadata = {
    ...deployment.metadata,
    annotations: { ...annotationsOf(deployment), [revisionAnnotation]: revision },
  }
  const conditions = why
    ? set(deployment.status?.conditions, conditionAt(c.clock.now(), { type: 'Progressing', status: 'True', ...why }))
    : deployment.status?.conditions
  return c.writeStatus({ ...deployment, metadata }, { ...deployment.status, ...(conditions && { conditions }) }, true)
}

async function createCurrent(
  deployment: Frozen<Deployment>,
  old: readonly Set[],
  revision: bigint,
  c: C,
): Promise<View> {
  const made = newReplicaSet(deployment, old, revision)
  const size = wantedOf(made)
  try {
    const current = await c.client.create(replicaSets, made)
    c.wrote(deployment, replicaSets, current)
    if (size > 0)
      c.event(deployment, 'Normal', 'ScalingReplicaSet', `Scaled up replica set ${nameOf(current)} from 0 to ${size}`)
    const why = hasDeadline(deployment)
      ? { reason: 'NewReplicaSetCreated', message: `Created new replica set "${nameOf(current)}"` }
      : undefined
    return { deployment: await noteRevision(deployment, current, why, c), current, old }
  } catch (error) {
    if (isAlreadyExists(error)) {
      const current = await resolveCollision(deployment, made, c)
      if (!current) throw error
      return { deployment: await noteRevision(deployment, current, undefined, c), current, old }
    }
    if (!isNamespaceTerminating(error))
      await tellFailure(deployment, `Failed to create new replica set "${nameOf(made)}": ${messageOf(error)}`, c)
    throw error
  }
}

/** The ReplicaSet for the Deployment's template; its name depends on the template only, so that making it twice makes one. */
export function newReplicaSet(deployment: Frozen<Deployment>, old: readonly Set[], revision: bigint): Set {
  const spec = deployment.spec
  const template = spec?.template ?? {}
  const hash = templateHash(template, deployment.status?.collisionCount)
  const labels = { ...template.metadata?.labels, [hashLabel]: hash }
  const limits = limitsOf(deployment)
  const size = nextSizeOfCurrent(limits, old, 0, isRolling(deployment))
  return {
    apiVersion: 'apps/v1',
    kind: 'ReplicaSet',
    metadata: {
      name: `${nameOf(deployment).slice(0, 253 - 1 - hash.length)}-${hash}`,
      namespace: namespaceOf(deployment),
      ownerReferences: [controllerReference(deployments, deployment)],
      labels,
      annotations: {
        ...currentAnnotations(deployment, {}, revision),
        ...sizeAnnotations(limits.replicas, limits.surge),
      },
    },
    spec: {
      replicas: size,
      ...(spec?.minReadySeconds && { minReadySeconds: spec.minReadySeconds }),
      selector: { ...spec?.selector, matchLabels: { ...spec?.selector.matchLabels, [hashLabel]: hash } },
      template: { ...template, metadata: { ...template.metadata, labels } },
    },
  }
}

/** The name is taken: by this very ReplicaSet, made a moment ago, which is given; or by another one, and the next attempt gets another name. */
async function resolveCollision(deployment: Frozen<Deployment>, made: Set, c: C): Promise<Set | undefined> {
  const there = await c.client.get(replicaSets, { namespace: namespaceOf(made), name: nameOf(made) })
  if (
    controllerOf(there)?.uid === uidOf(deployment) &&
    !isBeingDeleted(there) &&
    sameTemplate(deployment.spec?.template, there.spec?.template)
  ) {
    c.wrote(deployment, replicaSets, there)
    return there
  }
  await c.writeStatus(deployment, {
    ...deployment.status,
    collisionCount: (deployment.status?.collisionCount ?? 0) + 1,
  })
  return undefined
}

async function tellFailure(deployment: Frozen<Deployment>, message: string, c: C): Promise<void> {
  c.event(deployment, 'Warning', 'ReplicaSetCreateError', message)
  if (!hasDeadline(deployment)) return
  const condition = conditionAt(c.clock.now(), {
    type: 'Progressing',
    status: 'False',
    reason: 'ReplicaSetCreateError',
    message,
  })
  try {
    await c.writeStatus(deployment, { ...deployment.status, conditions: set(deployment.status?.conditions, condition) })
  } catch (error) {
    // The failure to create is what the caller must hear of.
    c.log.debug({ err: error }, 'the status could not tell of a failure')
  }
}

/** Gives ReplicaSets new sizes, and notes the Deployment's size on them. */
export async function resize(view: View, sizes: ReadonlyMap<string, number>, c: C): Promise<View> {
  const { replicas, surge } = limitsOf(view.deployment)
  const changed: Set[] = []
  for (const rs of allOf(view)) {
    const size = sizes.get(nameOf(rs))
    if (size === undefined || !rs.spec) continue
    const annotations = { ...annotationsOf(rs), ...sizeAnnotations(replicas, surge) }
    const before = wantedOf(rs)
    if (before === size && same(annotations, annotationsOf(rs))) continue
    const updated = await c.client.update(replicaSets, {
      ...rs,
      metadata: { ...rs.metadata, annotations },
      spec: { ...rs.spec, replicas: size },
    })
    c.wrote(view.deployment, replicaSets, updated)
    changed.push(updated)
    if (before !== size)
      c.event(
        view.deployment,
        'Normal',
        'ScalingReplicaSet',
        `Scaled ${before < size ? 'up' : 'down'} replica set ${nameOf(rs)} from ${before} to ${size}`,
      )
  }
  return withSets(view, changed)
}

/** Deletes the oldest ReplicaSets without pods, beyond those that are kept for rollbacks. */
export async function trimHistory(view: View, c: C): Promise<void> {
  const limit = view.deployment.spec?.revisionHistoryLimit
  if (limit === undefined || limit === 2147483647) return
  const alive = view.old.filter((rs) => !isBeingDeleted(rs))
  const surplus = [...alive]
    .sort((a, b) => compareRevisions(revisionOf(a), revisionOf(b)) || byAge(a, b))
    .slice(0, Math.max(0, alive.length - limit))
  for (const rs of surplus) {
    const empty =
      (rs.status?.replicas ?? 0) === 0 &&
      wantedOf(rs) === 0 &&
      (rs.metadata.generation ?? 0) <= (rs.status?.observedGeneration ?? 0)
    if (empty) await c.remove(view.deployment, replicaSets, rs)
  }
}
