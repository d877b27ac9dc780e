import { customResourceDefinitions } from '../../api/generated/resources.ts'
import type { CustomResourceDefinition, CustomResourceDefinitionCondition, CustomResourceDefinitionNames } from '../../api/generated/types/apiextensions-v1.ts'
import type { Kind } from '../../api/kind.ts'
import type { Frozen } from '../../api/resource.ts'
import { normalise } from '../../api/schema/decode.ts'
import type { KindTable } from '../../api/table.ts'
import type { Deps } from '../../base/deps.ts'
import { apiServerUser } from '../authn/user.ts'
import { follow } from '../registry/follow.ts'
import type { Registry } from '../registry/registry.ts'
import type { Draft } from '../registry/resource-storage.ts'
import { timeText, type Core } from '../verbs/core.ts'
import { deleteObject, isGone } from '../verbs/delete.ts'
import { cleanupFinalizer } from '../verbs/deletion-plan.ts'

type Definition = Frozen<CustomResourceDefinition>

/** What serving definitions needs. */
export interface CrdParts extends Deps {
  readonly core: Core
  readonly kinds: KindTable
  readonly registry: Registry
}

/**
 * Serves custom kinds: as soon as a definition is stored its names are accepted or not, its kinds come into the table, and its conditions say so. A definition
 * that is being deleted first loses its objects.
 */
export class CrdServing {
  readonly #parts: CrdParts
  readonly #definitions = new Map<string, Definition>()
  readonly #served = new Map<string, readonly Kind[]>()
  /** What each was served by, as text: other changes of a definition concern no kind. */
  readonly #forms = new Map<string, string>()
  readonly #queue = new Set<string>()
  #working: Promise<void> | undefined
  #closed = false
  #retry = (): void => {}

  private constructor(parts: CrdParts) {
    this.#parts = parts
  }

  /** Serves what is there, and follows what comes. All present definitions are served when it resolves. */
  static async start(parts: CrdParts): Promise<CrdServing> {
    const serving = new CrdServing(parts)
    await follow(parts.registry.storageOfResource(customResourceDefinitions)!.cache, {
      set(entry) {
        serving.#definitions.set(entry.name, entry.object as Definition)
        serving.#enqueue(entry.name)
      },
      remove(before) {
        serving.#definitions.delete(before.name)
        serving.#enqueue(before.name)
      },
    })
    await serving.#working
    return serving
  }

  close(): void {
    this.#closed = true
    this.#retry()
  }

  #enqueue(name: string): void {
    this.#queue.add(name)
    this.#working ??= this.#work()
  }

  async #work(): Promise<void> {
    // What is told together is worked on after all of it was told.
    await Promise.resolve()
    for (const name of this.#queue) {
      this.#queue.delete(name)
      if (this.#closed) break
      try {
        await this.#reconcile(name)
      } catch (error) {
        this.#parts.log.warn({ err: error, definition: name }, 'a custom resource definition could not be served; it is tried again in a second')
        this.#retry = this.#parts.clock.after(1000, () => this.#enqueue(name))
      }
    }
    this.#working = undefined
    if (this.#queue.size > 0 && !this.#closed) this.#working = this.#work()
  }

  async #reconcile(name: string): Promise<void> {
    const definition = this.#definitions.get(name)
    if (!definition) return this.#unserve(name)
    const problem = this.#conflictOf(definition)
    const established = definition.status?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True') ?? false
    if (problem === undefined || established) await this.#serve(name, definition)
    const deleting = Boolean(definition.metadata?.deletionTimestamp)
    await this.#writeStatus(name, (current) => {
      const { conditions, acceptedNames } = statusOf(current, problem, this.#parts.clock.now())
      return { ...current, status: { ...current.status, acceptedNames, conditions: deleting ? withTerminating(conditions, this.#parts.clock.now(), false) : conditions } }
    })
    if (deleting) await this.#finish(name, definition)
  }

  async #serve(name: string, definition: Definition): Promise<void> {
    const { kinds, registry } = this.#parts
    const form = JSON.stringify([definition.spec, definition.status?.acceptedNames?.plural ? definition.status.acceptedNames : definition.spec.names, definition.status?.storedVersions])
    if (this.#forms.get(name) === form) return
    // Loaded with the first definition: what custom kinds need is large.
    const { customKinds } = await import('./custom-kind.ts')
    const { served: wanted, stored } = customKinds(definition)
    const before = this.#served.get(name) ?? []
    await registry.reopen(stored)
    for (const kind of wanted) registry.alias(kind)
    for (const kind of before) if (!wanted.some(({ resource }) => resource.version === kind.resource.version)) kinds.remove(kind.resource)
    for (const kind of wanted) kinds.add(kind)
    this.#served.set(name, wanted)
    this.#forms.set(name, form)
  }

  #unserve(name: string): void {
    for (const kind of this.#served.get(name) ?? []) {
      this.#parts.kinds.remove(kind.resource)
      this.#parts.registry.drop(kind)
    }
    this.#served.delete(name)
    this.#forms.delete(name)
    // Names that others wanted may be free now.
    for (const other of this.#definitions.keys()) if (!this.#served.has(other)) this.#enqueue(other)
  }

  /** Which of the definition's names somebody else of its group has already; undefined when it may have them all. */
  #conflictOf({ metadata, spec }: Definition): { reason: string; message: string } | undefined {
    const { names, group } = spec
    const taken = { resources: new Set<string>(), kinds: new Set<string>() }
    const own = (definition: Definition) => definition.metadata?.name === metadata?.name
    for (const other of this.#definitions.values()) {
      const accepted = other.status?.acceptedNames
      if (own(other) || other.spec.group !== group || !accepted?.plural) continue
      for (const each of [accepted.plural, accepted.singular, ...(accepted.shortNames ?? [])]) if (each) taken.resources.add(each)
      for (const each of [accepted.kind, accepted.listKind]) if (each) taken.kinds.add(each)
    }
    for (const { resource, singular, shortNames, listKind, custom } of this.#parts.kinds.all()) {
      if (custom || resource.group !== group) continue
      for (const each of [resource.plural, singular, ...shortNames]) taken.resources.add(each)
      for (const each of [resource.kind, listKind]) taken.kinds.add(each)
    }
    const used = (text: string) => `${JSON.stringify(text)} is already in use`
    if (taken.resources.has(names.plural)) return { reason: 'PluralConflict', message: used(names.plural) }
    if (names.singular && taken.resources.has(names.singular)) return { reason: 'SingularConflict', message: used(names.singular) }
    const short = names.shortNames?.filter((each) => taken.resources.has(each)) ?? []
    if (short.length > 0) return { reason: 'ShortNamesConflict', message: short.map(used).join(', ') }
    if (taken.kinds.has(names.kind)) return { reason: 'KindConflict', message: used(names.kind) }
    if (names.listKind && taken.kinds.has(names.listKind)) return { reason: 'ListKindConflict', message: used(names.listKind) }
    return undefined
  }

  async #writeStatus(name: string, change: (current: Definition) => object): Promise<void> {
    const storage = this.#parts.registry.storageOfResource(customResourceDefinitions)!
    await storage.change(name, (entry) => {
      const current = entry?.object as Definition | undefined
      if (!current) return { action: 'keep' }
      const draft = normalise(storage.kind.schema, change(current)) as unknown as Draft
      return JSON.stringify(draft) === JSON.stringify(current) ? { action: 'keep' } : { action: 'write', draft }
    })
  }

  /** Deletes a definition's objects; with the last one the definition's finalizer goes. */
  async #finish(name: string, definition: Definition): Promise<void> {
    if (!definition.metadata?.finalizers?.includes(cleanupFinalizer)) return
    const { core, registry, clock } = this.#parts
    const storage = registry.storageOfResource({ group: definition.spec.group, plural: definition.spec.names.plural })
    const kind = this.#served.get(name)?.[0]
    const left = storage?.cache.listNow() ?? []
    if (storage && kind && left.length > 0) {
      for (const entry of left) {
        const write = { kind: storage.kind, subresource: '', namespace: entry.namespace, user: apiServerUser, warnings: [], dryRun: false, options: undefined }
        const deletion = { gracePeriodSeconds: undefined, orphanDependents: undefined, propagationPolicy: undefined, uid: undefined, resourceVersion: undefined, dryRun: false }
        await deleteObject(core, write, entry.name, deletion).catch((error: unknown) => {
          if (!isGone(error)) throw error
        })
      }
      if (storage.cache.count() > 0) {
        // Objects with finalizers of their own take their time.
        this.#retry = clock.after(500, () => this.#enqueue(name))
        return
      }
    }
    const definitions = registry.storageOfResource(customResourceDefinitions)!
    await definitions.change(name, (entry) => {
      const current = entry?.object as Definition | undefined
      if (!current?.metadata) return { action: 'keep' }
      const finalizers = (current.metadata.finalizers ?? []).filter((each) => each !== cleanupFinalizer)
      const conditions = withTerminating(current.status?.conditions ?? [], clock.now(), true)
      const draft = normalise(definitions.kind.schema, { ...current, metadata: { ...current.metadata, finalizers }, status: { ...current.status, conditions } }) as unknown as Draft
      return finalizers.length > 0 ? { action: 'write', draft } : { action: 'remove', last: draft }
    })
  }
}

function statusOf(definition: Definition, problem: { reason: string; message: string } | undefined, nowMs: number): { acceptedNames: CustomResourceDefinitionNames; conditions: CustomResourceDefinitionCondition[] } {
  const { names } = definition.spec
  const before = definition.status
  const accepted: CustomResourceDefinitionNames = problem ? { ...(before?.acceptedNames ?? { kind: '', plural: '' }) } as CustomResourceDefinitionNames : (names as CustomResourceDefinitionNames)
  const wasEstablished = before?.conditions?.some(({ type, status }) => type === 'Established' && status === 'True')
  const conditions: CustomResourceDefinitionCondition[] = [
    problem ? { type: 'NamesAccepted', status: 'False', ...problem } : { type: 'NamesAccepted', status: 'True', reason: 'NoConflicts', message: 'no conflicts found' },
    problem && !wasEstablished
      ? { type: 'Established', status: 'False', reason: 'NotAccepted', message: 'not all names are accepted' }
      : { type: 'Established', status: 'True', reason: 'InitialNamesAccepted', message: 'the initial names have been accepted' },
  ]
  return { acceptedNames: accepted, conditions: merged(before?.conditions ?? [], conditions, nowMs) }
}

/** Conditions keep the time of their last change, and those of others stay. */
function merged(before: readonly Frozen<CustomResourceDefinitionCondition>[], wanted: readonly CustomResourceDefinitionCondition[], nowMs: number): CustomResourceDefinitionCondition[] {
  const out = [...before] as CustomResourceDefinitionCondition[]
  for (const condition of wanted) {
    const at = out.findIndex(({ type }) => type === condition.type)
    const old = out[at]
    const lastTransitionTime = old?.status === condition.status ? (old.lastTransitionTime ?? timeText(nowMs)) : timeText(nowMs)
    const next = { ...condition, lastTransitionTime }
    if (at < 0) out.push(next)
    else out[at] = next
  }
  return out
}

const withTerminating = (conditions: readonly Frozen<CustomResourceDefinitionCondition>[], nowMs: number, done: boolean): CustomResourceDefinitionCondition[] =>
  merged(conditions, [
    done
      ? { type: 'Terminating', status: 'False', reason: 'InstanceDeletionCompleted', message: 'removed all instances' }
      : { type: 'Terminating', status: 'True', reason: 'InstanceDeletionInProgress', message: 'CustomResource deletion is in progress' },
  ], nowMs)
