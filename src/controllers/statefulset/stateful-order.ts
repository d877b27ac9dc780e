import { pods } from '../../api/generated/resources.ts'
import type { StatefulSet } from '../../api/generated/types/apps-v1.ts'
import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { isBeingDeleted, labelsOf, nameOf } from '../../client/object.ts'
import { messageOf } from '../framework/context.ts'
import type { Context } from '../framework/controller.ts'
import { isAvailable, isTerminal } from '../framework/pod.ts'
import { slowStart } from '../framework/slow-start.ts'
import { createClaims, hasStaleClaim, syncClaimOwners, tellConflicts } from './claims.ts'
import { isWanted, matchesIdentity, ordinalOf, podNameLabel, startOf, statefulPod, volumesOf } from './stateful-pod.ts'
import { revisionOf, templateOf, type Revisions } from './stateful-revision.ts'

type Set = Frozen<StatefulSet>
type FrozenPod = Frozen<Pod>
type C = Context<StatefulSet>

/** A place in the order, with its pod if there is one. */
interface Place {
  readonly ordinal: number
  readonly pod: FrozenPod | undefined
}

/** Whether to go on to the next pod, or wait for this one. */
type Step = 'next' | 'wait'

/**
 * One round: every wanted pod in order, then those that are too many from the last, then one pod of the update from the last. With the policy
 * OrderedReady each waits until the one before it serves; with Parallel, making and deleting do not wait.
 */
export async function bringToOrder(set: Set, own: readonly FrozenPod[], revisions: Revisions, c: C): Promise<void> {
  const ordered = (set.spec?.podManagementPolicy ?? 'OrderedReady') === 'OrderedReady'
  const byOrdinal = new Map(own.map((pod) => [ordinalOf(set, pod), pod]))
  const places = Array.from({ length: set.spec?.replicas ?? 1 }, (_, i): Place => ({
    ordinal: startOf(set) + i,
    pod: byOrdinal.get(startOf(set) + i),
  }))
  const surplus = own
    .filter((pod) => !isWanted(set, ordinalOf(set, pod)))
    .sort((a, b) => ordinalOf(set, b) - ordinalOf(set, a))
  const serves = (pod: FrozenPod | undefined) =>
    pod !== undefined &&
    !isBeingDeleted(pod) &&
    pod.status?.phase === 'Running' &&
    isAvailable(pod, set.spec?.minReadySeconds ?? 0, c.clock.now())

  if ((await forAll(places, ordered, (place) => keep(set, place, { revisions, ordered, serves }, c))) === 'wait') return
  for (const pod of surplus) await syncClaimOwners(set, pod, c)
  const firstDown =
    places.map(({ pod }) => pod).find((pod) => !serves(pod)) ?? [...surplus].reverse().find((pod) => !serves(pod))
  const mayGo = (pod: FrozenPod) => !ordered || pod === firstDown || serves(pod)
  if ((await forAll(surplus, ordered, (pod) => giveUp(set, pod, mayGo(pod), c))) === 'wait') return
  if ((set.spec?.updateStrategy?.type ?? 'RollingUpdate') !== 'RollingUpdate') return
  const outdated = nextToUpdate(set, places, revisions, serves)
  if (outdated) await deletePod(set, outdated, c)
}

/** In order, stopping where one has to be waited for; or all, faster and faster, where none waits for another. */
async function forAll<T>(items: readonly T[], ordered: boolean, act: (item: T) => Promise<Step>): Promise<Step> {
  if (ordered) {
    for (const item of items) if ((await act(item)) === 'wait') return 'wait'
    return 'next'
  }
  const { failure } = await slowStart(items.length, async (index) => {
    const item = items[index]
    if (item !== undefined) await act(item)
  })
  if (failure !== undefined) throw failure
  return 'next'
}

interface Keeping {
  readonly revisions: Revisions
  readonly ordered: boolean
  readonly serves: (pod: FrozenPod | undefined) => boolean
}

/** Sees to it that the pod of a place is there and has what belongs to it. */
async function keep(set: Set, { ordinal, pod }: Place, { revisions, ordered, serves }: Keeping, c: C): Promise<Step> {
  if (!pod) {
    if (hasStaleClaim(set, ordinal, undefined, c)) return 'wait'
    await createPod(set, ordinal, revisions, c)
    return ordered ? 'wait' : 'next'
  }
  if (isTerminal(pod)) {
    if (!isBeingDeleted(pod)) await deletePod(set, pod, c)
    return 'wait'
  }
  if (pod.status?.phase === 'Pending') {
    await createClaims(set, ordinal, c)
    await syncClaimOwners(set, pod, c)
  }
  if (ordered && !serves(pod)) return 'wait'
  if (!matchesIdentity(set, pod)) await repair(set, pod, c)
  await syncClaimOwners(set, pod, c)
  return 'next'
}

/** Sees to it that a pod goes; the next one waits until it is gone. */
async function giveUp(set: Set, pod: FrozenPod, mayGo: boolean, c: C): Promise<Step> {
  if (mayGo && !isBeingDeleted(pod)) await deletePod(set, pod, c)
  return 'wait'
}

/** The last pod that is not of the new revision, unless a later one does not serve yet. */
function nextToUpdate(
  set: Set,
  places: readonly Place[],
  { update }: Revisions,
  serves: Keeping['serves'],
): FrozenPod | undefined {
  const partition = set.spec?.updateStrategy?.rollingUpdate?.partition ?? 0
  for (const [index, { pod }] of [...places.entries()].reverse()) {
    if (index < partition || !pod) return undefined
    if (revisionOf(pod) !== nameOf(update) && !isBeingDeleted(pod)) return pod
    if (!serves(pod)) return undefined
  }
  return undefined
}

async function createPod(set: Set, ordinal: number, revisions: Revisions, c: C): Promise<void> {
  const revision = isOfCurrent(set, ordinal) ? revisions.current : revisions.update
  const pod = statefulPod(set, templateOf(revision), nameOf(revision), ordinal)
  const tell = teller(set, 'Create', pod, c)
  try {
    await createClaims(set, ordinal, c)
    const created = await c.client.create(pods, pod)
    c.wrote(set, pods, created)
    tell()
    tellConflicts(set, created, c)
    await syncClaimOwners(set, created, c)
  } catch (error) {
    tell(error)
    throw error
  }
}

/** Pods below the partition, or not yet reached by the update, are made from the old revision. */
function isOfCurrent(set: Set, ordinal: number): boolean {
  const strategy = set.spec?.updateStrategy
  if ((strategy?.type ?? 'RollingUpdate') !== 'RollingUpdate') return false
  const rolling = strategy?.rollingUpdate
  return ordinal < startOf(set) + (rolling ? (rolling.partition ?? 0) : (set.status?.currentReplicas ?? 0))
}

async function deletePod(set: Set, pod: FrozenPod, c: C): Promise<void> {
  const tell = teller(set, 'Delete', pod, c)
  try {
    await c.remove(set, pods, pod)
    tell()
  } catch (error) {
    tell(error)
    throw error
  }
}

async function repair(set: Set, pod: FrozenPod, c: C): Promise<void> {
  const ordinal = ordinalOf(set, pod)
  const labels = { ...labelsOf(pod), [podNameLabel]: nameOf(pod), 'apps.kubernetes.io/pod-index': String(ordinal) }
  const spec = pod.spec ?? { containers: [] }
  const tell = teller(set, 'Update', pod, c)
  try {
    await createClaims(set, ordinal, c)
    c.wrote(
      set,
      pods,
      await c.client.update(pods, {
        ...pod,
        metadata: { ...pod.metadata, labels },
        spec: { ...spec, volumes: volumesOf(set, ordinal, spec.volumes ?? []) },
      }),
    )
    tell()
  } catch (error) {
    tell(error)
    throw error
  }
}

/** Says by an event that something was done to a pod, or with which error it failed. */
function teller(set: Set, verb: 'Create' | 'Delete' | 'Update', pod: FrozenPod, c: C): (error?: unknown) => void {
  const text = `${verb} Pod ${nameOf(pod)} in StatefulSet ${nameOf(set)}`
  return (error) => {
    if (error === undefined) c.event(set, 'Normal', `Successful${verb}`, `${text} successful`)
    else c.event(set, 'Warning', `Failed${verb}`, `${text} failed error: ${messageOf(error)}`)
  }
}
