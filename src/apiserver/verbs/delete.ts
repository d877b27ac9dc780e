import { ApiError, conflict, notFound } from '../../api/errors/api-error.ts'
import type { Status } from '../../api/generated/types/meta-v1.ts'
import type { Kind } from '../../api/kind.ts'
import type { Frozen, KubernetesObject } from '../../api/resource.ts'
import type { Attributes } from '../admission/admission.ts'
import type { CachedObject } from '../cache/cache.ts'
import { Document } from '../cache/document.ts'
import type { Draft } from '../registry/resource-storage.ts'
import type { Deletion } from '../request/options.ts'
import { served, storageOf, type Core } from './core.ts'
import { shapedObject } from './kind-codec.ts'
import { planOf } from './deletion-plan.ts'
import { deletionRules } from './deletion-rules.ts'
import { attributesOf, type Operation } from './write.ts'

/** What became of a deletion: gone, or waiting for its finalizers or its grace period to end. */
export interface Deleted {
  readonly document: Document
  readonly gone: boolean
}

/** Deletes one object, or begins to. */
export async function deleteObject(core: Core, write: Operation, name: string, deletion: Deletion): Promise<Deleted> {
  const storage = storageOf(core, write.kind)
  const key = storage.keyOf(write.namespace, name)
  let attributes: Attributes | undefined
  for (;;) {
    const current = storage.cache.get(key)
    if (!current) throw notFound(write.kind.resource, name)
    if (write.kind.storedAs?.prepare) await write.kind.storedAs.prepare('fromStored', [current.object])
    const old = served(write.kind, current.object)
    checkPreconditions(storage.kind, old, deletion)
    if (attributes?.old !== old) {
      attributes = attributesOf(write, 'DELETE', undefined, old)
      const pending = core.admission.admit(attributes)
      if (pending) await pending
      const validation = core.admission.validate(attributes)
      if (validation) await validation
    }
    const deleted = await attempt(core, write, current, deletion)
    if (deleted) return deleted
  }
}

/** One try; undefined when somebody else wrote the object meanwhile. */
async function attempt(
  core: Core,
  write: Operation,
  current: CachedObject,
  deletion: Deletion,
): Promise<Deleted | undefined> {
  const storage = storageOf(core, write.kind)
  const { kind } = storage
  const plan = planOf(kind, current.object, { ...deletion }, core.clock.now())
  if (plan.step === 'pending') return { document: current.document, gone: false }
  if (plan.step === 'mark') {
    const draft = shapedObject(kind, plan.draft, current.object)
    if (write.dryRun) return { document: Document.ofObject(draft as Frozen<KubernetesObject>), gone: false }
    let raced = false
    const changed = await storage.change(current.key, (now) => {
      raced = now?.revision !== current.revision
      return raced ? { action: 'keep' } : { action: 'write', draft }
    })
    return raced || !changed ? undefined : { document: changed.document, gone: false }
  }
  // A deletion without grace shows the times that it would have had with one.
  const marked = plan.last && shapedObject(kind, plan.last, current.object)
  if (write.dryRun)
    return { document: marked ? Document.ofObject(marked as Frozen<KubernetesObject>) : current.document, gone: true }
  const last = marked ?? ({ ...current.object, metadata: { ...current.object.metadata } } as Draft)
  const removed = await storage.remove(current, last)
  if (!removed) return undefined
  await core.hooks.get(kind.storagePrefix)?.removed?.(removed.document.object)
  return { document: removed.document, gone: true }
}

function checkPreconditions(
  kind: Kind,
  { metadata }: Frozen<KubernetesObject>,
  { uid, resourceVersion }: Deletion,
): void {
  const name = metadata?.name ?? ''
  const subject = { group: kind.resource.group, plural: kind.resource.kind }
  if (uid !== undefined && uid !== metadata?.uid) {
    throw conflict(
      subject,
      name,
      `the UID in the precondition (${uid}) does not match the UID in record (${metadata?.uid}). The object might have been deleted and then recreated`,
    )
  }
  if (resourceVersion !== undefined && resourceVersion !== metadata?.resourceVersion) {
    throw conflict(
      subject,
      name,
      `the ResourceVersion in the precondition (${resourceVersion}) does not match the ResourceVersion in record (${metadata?.resourceVersion}). The object might have been modified`,
    )
  }
}

/** The body of a deletion's answer: a Status when the object is gone and its kind has it so, else the object as it is now. */
export function deletionStatus(kind: Kind, { document, gone }: Deleted): Status | undefined {
  const { group, plural } = kind.resource
  if (!gone || deletionRules(kind).returnsObject) return undefined
  const { name, uid } = document.object.metadata ?? {}
  return {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Success',
    details: { name: name ?? '', ...(group && { group }), kind: plural, uid: uid ?? '' },
  }
}

/** True for an error that says that the object is gone already. */
export const isGone = (error: unknown): boolean => error instanceof ApiError && error.code === 404
