import type { Kind } from '../../api/kind.ts'
import { badRequest } from '../../api/errors/api-error.ts'
import type { Frozen, KubernetesObject } from '../../api/resource.ts'
import { nameSuffix, type Random } from '../../base/random.ts'
import type { Draft } from '../registry/resource-storage.ts'
import { timeText } from '../../api/schema/times.ts'

/** What of a name stays when a random end is put to it: names have 63 letters at most. */
const generatedBaseMax = 58

/** Names an object that only says how its name shall begin. */
export function generateName(draft: Draft, { behaviour }: Kind, random: Random): void {
  const { metadata } = draft
  if (metadata.name || !metadata.generateName) return
  metadata.name =
    behaviour.metadata?.generateName === 'verbatim'
      ? metadata.generateName
      : metadata.generateName.slice(0, generatedBaseMax) + nameSuffix(random)
}

/** Clients cannot set these on new objects. */
export function wipeSystemFields(draft: Draft): void {
  const { metadata } = draft
  delete metadata.uid
  delete metadata.creationTimestamp
  delete metadata.deletionTimestamp
  delete metadata.deletionGracePeriodSeconds
  delete metadata.selfLink
}

/** The object is in the namespace that the path names; one that says nothing gets it. */
export function matchNamespace(draft: Draft, kind: Kind, namespace: string): void {
  const { metadata } = draft
  if (!kind.resource.namespaced) {
    // A cluster-scoped request clears it; namespaces have none either.
    delete metadata.namespace
    return
  }
  if (!metadata.namespace) metadata.namespace = namespace
  else if (metadata.namespace !== namespace)
    throw badRequest('the namespace of the provided object does not match the namespace sent on the request')
}

/** What the server puts on every new object. */
export function fillSystemFields(draft: Draft, nowMs: number, uid: string): void {
  draft.metadata.creationTimestamp = timeText(nowMs)
  draft.metadata.uid = uid
}

/** What no update can change. */
export function keepSystemFields(draft: Draft, old: Frozen<KubernetesObject>): void {
  const { metadata } = draft
  const before = old.metadata ?? {}
  if (before.generation === undefined) delete metadata.generation
  else metadata.generation = before.generation
  if (before.creationTimestamp === undefined) delete metadata.creationTimestamp
  else metadata.creationTimestamp = before.creationTimestamp
  delete metadata.selfLink
  if (!metadata.uid && before.uid) metadata.uid = before.uid
  if (before.deletionTimestamp) metadata.deletionTimestamp = before.deletionTimestamp
  if (
    before.deletionGracePeriodSeconds !== undefined &&
    (metadata.deletionGracePeriodSeconds ?? undefined) === undefined
  ) {
    metadata.deletionGracePeriodSeconds = before.deletionGracePeriodSeconds
  }
}

/** Owner references that are there twice are put together, with a warning. */
export function dedupOwners(draft: Draft, warnings: { push: (text: string) => void }, afterAdmission: boolean): void {
  const owners = draft.metadata.ownerReferences
  if (!owners || owners.length < 2) return
  const seen = new Map<string, (typeof owners)[number]>()
  for (const owner of owners) if (!seen.has(ownerText(owner))) seen.set(ownerText(owner), owner)
  if (seen.size === owners.length) return
  const uids = new Set(owners.map(({ uid }) => uid).filter((uid, at, all) => all.indexOf(uid) !== at))
  draft.metadata.ownerReferences = [...seen.values()]
  const text = afterAdmission
    ? '.metadata.ownerReferences contains duplicate entries after mutating admission happens'
    : '.metadata.ownerReferences contains duplicate entries'
  warnings.push(
    `${text}; API server dedups owner references in 1.20+, and may reject such requests as early as 1.24; please fix your requests; duplicate UID(s) observed: ${[...uids].join(', ')}`,
  )
}

const ownerText = (owner: object): string => JSON.stringify(Object.entries(owner).sort(([a], [b]) => (a < b ? -1 : 1)))
