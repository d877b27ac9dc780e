import { namespaces } from '../../api/generated/resources.ts'
import type { Kind, RequestContext } from '../../api/kind.ts'
import type { Frozen, KubernetesObject } from '../../api/resource.ts'
import type { KindTable } from '../../api/table.ts'
import type { Deps } from '../../base/deps.ts'
import type { Admission } from '../admission/admission.ts'
import type { User } from '../authn/user.ts'
import type { Authorizer } from '../authz/authorizer.ts'
import type { Draft, ResourceStorage } from '../registry/resource-storage.ts'
import type { Registry } from '../registry/registry.ts'

/** What some kinds need done around a write besides admission and validation: addresses allocated, names claimed. */
export interface WriteHook {
  /**
   * Runs after admission, before validation, on what is about to be stored. Returns what to do once it is known whether it was.
   */
  begin(draft: Draft, old: Frozen<KubernetesObject> | undefined, dryRun: boolean): Promise<WriteEnd | undefined>
  /** After an object is gone. */
  removed?(last: Frozen<KubernetesObject>): void | Promise<void>
}

/** The end of a hook's work: kept, or undone. */
export interface WriteEnd {
  commit(): void | Promise<void>
  revert(): void | Promise<void>
}

/** What every verb works with. */
export interface Core extends Deps {
  /** All kinds: for what must know the other versions of one. */
  readonly kinds: KindTable
  readonly registry: Registry
  readonly admission: Admission
  readonly authorizer: Authorizer
  /** By the kind's storage prefix. */
  readonly hooks: ReadonlyMap<string, WriteHook>
  /** Objects are deeply frozen before they are given to anybody: for tests and the library. */
  readonly freeze: boolean
}

/** What a kind's rules are told of the request. */
export const contextOf = (
  core: Core,
  { user, warnings }: { readonly user: User; readonly warnings: string[] },
  subresource: string,
): RequestContext => ({
  nowMs: core.clock.now(),
  uuid: core.random.uuid,
  user,
  subresource,
  namespaceLabels(name) {
    const namespace = core.registry.get(namespaces, { name })
    return namespace && (namespace.metadata.labels ?? {})
  },
  warn(text) {
    if (!warnings.includes(text)) warnings.push(text)
  },
})

/** The object in the version that the client speaks. */
export function served(kind: Kind, stored: Frozen<KubernetesObject>): Frozen<KubernetesObject> {
  return kind.storedAs ? (kind.storedAs.fromStored(stored as KubernetesObject) as Frozen<KubernetesObject>) : stored
}

/** A draft in the version in which it is stored. */
export function stored(kind: Kind, draft: Draft): Draft {
  return kind.storedAs ? (kind.storedAs.toStored(draft) as Draft) : draft
}

/** The same where the conversion may take time. */
export async function storedSoon(kind: Kind, draft: Draft): Promise<Draft> {
  if (kind.storedAs?.prepare) await kind.storedAs.prepare('toStored', [draft as Frozen<KubernetesObject>])
  return stored(kind, draft)
}

/** Where the objects of a kind are. */
export const storageOf = (core: Core, kind: Kind): ResourceStorage => core.registry.storageOf(kind)
