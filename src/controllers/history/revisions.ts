import { isAlreadyExists } from '../../api/errors/api-error.ts'
import { controllerRevisions } from '../../api/generated/resources.ts'
import type { ControllerRevision } from '../../api/generated/types/apps-v1.ts'
import type { Frozen, KubernetesObject, Resource } from '../../api/resource.ts'
import { controllerReference, isBeingDeleted, labelsOf, msOf, nameOf, namespaceOf } from '../../client/object.ts'
import type { Context } from '../framework/controller.ts'
import { canonicalJson } from '../framework/equality.ts'
import { fnv32a, safeEncode } from '../framework/hash.ts'

type Revision = Frozen<ControllerRevision>

/** The label of pods, and of revisions, that says which revision's they are. */
export const revisionHashLabel = 'controller-revision-hash'

/** A history of what an owner asked for, as ControllerRevisions that it manages. */
export interface HistoryOptions<O extends KubernetesObject> {
  readonly resource: Resource<O>
  readonly owner: Frozen<O>
  /** What the owner asks for now: a patch that brings it back. */
  readonly data: Readonly<Record<string, unknown>>
  /** The label of revisions that holds their hash. */
  readonly hashLabel: string
  /** Other labels of new revisions. */
  readonly labels: Readonly<Record<string, string>>
  readonly collisions: number
  /** Told when two different revisions have the same hash; the next attempt has one more. */
  readonly collided: () => Promise<void>
}

/** The revision of what is asked for now, made where it is missing and made the newest where it is old; and the others, oldest first. */
export async function syncHistory<O extends KubernetesObject>(
  options: HistoryOptions<O>,
  revisions: readonly Revision[],
  c: Context<O>,
): Promise<{ current: Revision; old: Revision[] }> {
  const { owner } = options
  const text = canonicalJson(options.data)
  const sorted = [...revisions].sort(byRevision)
  const equal = sorted.filter((revision) => canonicalJson(revision.data) === text)
  const newest = equal.at(-1)
  const next = (sorted.at(-1)?.revision ?? 0) + 1
  if (!newest) return { current: await create(options, next, c), old: sorted }
  const old = sorted.filter((revision) => !equal.includes(revision))
  const highest = Math.max(0, ...old.map(({ revision }) => revision))
  if (newest.revision > highest)
    return { current: newest, old: [...old, ...equal.filter((revision) => revision !== newest)].sort(byRevision) }
  const raised = await c.client.update(controllerRevisions, { ...newest, revision: next })
  c.wrote(owner, controllerRevisions, raised)
  return { current: raised, old }
}

/** The oldest revisions beyond `limit` that no pod has. */
export function surplusRevisions(
  old: readonly Revision[],
  limit: number,
  isLive: (revision: Revision) => boolean,
): Revision[] {
  const idle = old.filter((revision) => !isLive(revision) && !isBeingDeleted(revision))
  return idle.slice(0, Math.max(0, Math.min(idle.length, old.length - limit)))
}

/** The hash in a revision's label, or else its name, by which pods refer to it. */
export const hashOf = (revision: Revision): string => labelsOf(revision)[revisionHashLabel] ?? nameOf(revision)

const createdMs = (revision: Revision): number =>
  revision.metadata.creationTimestamp ? msOf(revision.metadata.creationTimestamp) : 0

/** Oldest first. */
export const byRevision = (a: Revision, b: Revision): number =>
  a.revision - b.revision || createdMs(a) - createdMs(b) || (nameOf(a) < nameOf(b) ? -1 : 1)

async function create<O extends KubernetesObject>(
  { resource, owner, data, labels, hashLabel, collisions, collided }: HistoryOptions<O>,
  revision: number,
  c: Context<O>,
): Promise<Revision> {
  const text = canonicalJson(data)
  const hash = safeEncode(fnv32a(text + (collisions > 0 ? String(collisions) : '')))
  const name = `${nameOf(owner).slice(0, 223)}-${hash}`
  const made: Revision = {
    apiVersion: 'apps/v1',
    kind: 'ControllerRevision',
    metadata: {
      name,
      namespace: namespaceOf(owner),
      labels: { ...labels, [hashLabel]: hash },
      ownerReferences: [controllerReference(resource, owner)],
    },
    // Clients compare its text, whose names are in order.
    data: JSON.parse(text) as Readonly<Record<string, unknown>>,
    revision,
  }
  try {
    const created = await c.client.create(controllerRevisions, made)
    c.wrote(owner, controllerRevisions, created)
    return created
  } catch (error) {
    if (!isAlreadyExists(error)) throw error
    const there = await c.client.get(controllerRevisions, { namespace: namespaceOf(owner), name })
    c.wrote(owner, controllerRevisions, there)
    if (canonicalJson(there.data) === text && !isBeingDeleted(there)) return there
    await collided()
    throw error
  }
}
