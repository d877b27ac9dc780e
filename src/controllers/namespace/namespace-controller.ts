import { isConflict, isNotFound } from '../../api/errors/api-error.ts'
import { namespaces } from '../../api/generated/resources.ts'
import type { Namespace, NamespaceCondition } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { isBeingDeleted, nameOf, timestamp } from '../../client/object.ts'
import { withCondition } from '../framework/conditions.ts'
import { defineController, done, requeueAfter, type Context, type Outcome } from '../framework/controller.ts'
import { deleteContent, type Remains } from './namespace-content.ts'

type Condition = Frozen<NamespaceCondition>

/** The part of the namespace that is this controller's to end. */
const finalizer = 'kubernetes'

/** Empties namespaces that are being deleted, and lets them go when nothing is left. */
export const namespaceController = defineController<Namespace>({
  name: 'namespace-controller',
  reconciles: namespaces,
  parallel: 10,
  reconcile,
})

async function reconcile(cached: Frozen<Namespace>, c: Context<Namespace>): Promise<Outcome> {
  if (!isBeingDeleted(cached)) return done
  // What counts is what the server knows: objects may be created until it has noted the deletion.
  const namespace = await freshOf(cached, c)
  if (!namespace || !isBeingDeleted(namespace) || !(namespace.spec?.finalizers ?? []).includes(finalizer)) return done
  const terminating = await c.writeStatus(namespace, { ...namespace.status, phase: 'Terminating' })
  const remains = await deleteContent(c.client, nameOf(namespace))
  const told = await tell(terminating, remains, c)
  if (remains.discoveryFailures.length + remains.deletionFailures.length > 0)
    throw new Error([...remains.discoveryFailures, ...remains.deletionFailures].join('; '))
  if (remains.objects.size > 0) return requeueAfter((Math.floor(remains.estimateSeconds / 2) + 1) * 1000)
  await finalize(told, c)
  return done
}

async function freshOf(cached: Frozen<Namespace>, c: Context<Namespace>): Promise<Frozen<Namespace> | undefined> {
  try {
    return await c.client.get(namespaces, { name: nameOf(cached) })
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

async function tell(namespace: Frozen<Namespace>, remains: Remains, c: Context<Namespace>): Promise<Frozen<Namespace>> {
  try {
    return await c.writeStatus(namespace, {
      ...namespace.status,
      conditions: conditionsOf(namespace, remains, c.clock.now()),
    })
  } catch (error) {
    // Telling must not hold up the deletion.
    if (isConflict(error) || isNotFound(error)) return namespace
    throw error
  }
}

/** The conditions that say how far the deletion is. */
export function conditionsOf(namespace: Frozen<Namespace>, remains: Remains, nowMs: number): readonly Condition[] {
  const lines = (counts: ReadonlyMap<string, number>, text: (name: string, count: number) => string) =>
    [...counts]
      .map(([name, count]) => text(name, count))
      .sort()
      .join(', ')
  const make = (
    type: string,
    failed: boolean,
    [badReason, badMessage]: readonly [string, string],
    [goodReason, goodMessage]: readonly [string, string],
  ): Condition => ({
    type,
    status: failed ? 'True' : 'False',
    reason: failed ? badReason : goodReason,
    message: failed ? badMessage : goodMessage,
    lastTransitionTime: timestamp(nowMs),
  })
  const list = [
    make(
      'NamespaceDeletionDiscoveryFailure',
      remains.discoveryFailures.length > 0,
      [
        'DiscoveryFailed',
        `Discovery failed for some groups, ${remains.discoveryFailures.length} failing: ${remains.discoveryFailures.join(', ')}`,
      ],
      ['ResourcesDiscovered', 'All resources successfully discovered'],
    ),
    make(
      'NamespaceDeletionGroupVersionParsingFailure',
      false,
      ['', ''],
      ['ParsedGroupVersions', 'All legacy kube types successfully parsed'],
    ),
    make(
      'NamespaceDeletionContentFailure',
      remains.deletionFailures.length > 0,
      [
        'ContentDeletionFailed',
        `Failed to delete all resource types, ${remains.deletionFailures.length} remaining: ${remains.deletionFailures.join(', ')}`,
      ],
      ['ContentDeleted', 'All content successfully deleted, may be waiting on finalization'],
    ),
    make(
      'NamespaceContentRemaining',
      remains.objects.size > 0,
      [
        'SomeResourcesRemain',
        `Some resources are remaining: ${lines(remains.objects, (name, count) => `${name} has ${count} resource instances`)}`,
      ],
      ['ContentRemoved', 'All content successfully removed'],
    ),
    make(
      'NamespaceFinalizersRemaining',
      remains.finalizers.size > 0,
      [
        'SomeFinalizersRemain',
        `Some content in the namespace has finalizers remaining: ${lines(remains.finalizers, (name, count) => `${name} in ${count} resource instances`)}`,
      ],
      ['ContentHasNoFinalizers', 'All content-preserving finalizers finished'],
    ),
  ]
  return list.reduce<readonly Condition[]>(
    (conditions, condition) => withCondition(conditions, condition),
    namespace.status?.conditions ?? [],
  )
}

async function finalize(namespace: Frozen<Namespace>, c: Context<Namespace>): Promise<void> {
  const finalizers = (namespace.spec?.finalizers ?? []).filter((name) => name !== finalizer)
  try {
    await c.client.updateSubresource(namespaces, { name: nameOf(namespace) }, 'finalize', {
      ...namespace,
      spec: { ...namespace.spec, finalizers },
    })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}
