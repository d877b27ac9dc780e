import { customResourceDefinitions } from '../../api/generated/resources.ts'
import type { CustomResourceDefinition } from '../../api/generated/types/apiextensions-v1.ts'
import type { Kind } from '../../api/kind.ts'
import type { Frozen } from '../../api/resource.ts'
import { normalise } from '../../api/schema/decode.ts'
import type { KindTable } from '../../api/table.ts'
import type { Deps } from '../../base/deps.ts'
import { apiServerUser } from '../authn/user.ts'
import { follow } from '../registry/follow.ts'
import type { Registry } from '../registry/registry.ts'
import type { Draft } from '../registry/resource-storage.ts'
import { equal } from '../../api/validation/equal.ts'
import type { Core } from '../verbs/core.ts'
import { deleteObject, isGone } from '../verbs/delete.ts'
import { recordFields, updateObject } from '../verbs/write.ts'
import { syncLocalServices } from '../aggregation/local-services.ts'
import { isEstablished, nameDefinition, withConditions } from './names.ts'
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
  /** The table's revision of which the API services tell. */
  #told = -1
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
        this.#parts.log.warn(
          { err: error, definition: name },
          'a custom resource definition could not be served; it is tried again in a second',
        )
        this.#retry = this.#parts.clock.after(1000, () => this.#enqueue(name))
      }
    }
    await this.#tellGroups()
    this.#working = undefined
    if (this.#queue.size > 0 && !this.#closed) this.#working = this.#work()
  }

  /** Groups that are served are API services, too. */
  async #tellGroups(): Promise<void> {
    const { core, kinds, log } = this.#parts
    if (this.#closed || this.#told === kinds.revision) return
    this.#told = kinds.revision
    try {
      await syncLocalServices(core, [...this.#served.values()].flat())
    } catch (error) {
      log.warn({ err: error }, 'the API services of custom groups could not be written')
    }
  }

  async #reconcile(name: string): Promise<void> {
    const definition = this.#definitions.get(name)
    if (!definition) return this.#unserve(name)
    const { clock } = this.#parts
    const naming = nameDefinition(definition, this.#definitions.values(), clock.now())
    if (
      isEstablished(definition) ||
      naming.conditions.some(({ type, status }) => type === 'Established' && status === 'True')
    )
      await this.#serve(name, definition)
    const deleting = Boolean(definition.metadata?.deletionTimestamp)
    await this.#writeStatus(name, (current) => {
      const { acceptedNames, conditions } = nameDefinition(current, this.#definitions.values(), clock.now())
      return {
        ...current.status,
        acceptedNames,
        conditions: deleting ? withConditions(conditions, [terminating], clock.now()) : conditions,
      }
    })
    if (!equal(definition.status?.acceptedNames, naming.acceptedNames)) this.#enqueueGroup(definition)
    if (deleting) await this.#finish(name, definition)
  }

  async #serve(name: string, definition: Definition): Promise<void> {
    const { kinds, registry } = this.#parts
    const form = JSON.stringify([
      definition.spec,
      definition.status?.acceptedNames?.plural ? definition.status.acceptedNames : definition.spec.names,
      definition.status?.storedVersions,
    ])
    if (this.#forms.get(name) === form) return
    // Loaded with the first definition: what custom kinds need is large.
    const { customKinds } = await import('./custom-kind.ts')
    const { served: wanted, stored } = customKinds(definition, {
      lookup: registry,
      clock: this.#parts.clock,
      random: this.#parts.random,
    })
    const before = this.#served.get(name) ?? []
    await registry.reopen(stored)
    for (const kind of wanted) registry.alias(kind)
    for (const kind of before)
      if (!wanted.some(({ resource }) => resource.version === kind.resource.version)) kinds.remove(kind.resource)
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
    for (const [other, definition] of this.#definitions)
      if (!this.#served.has(other)) this.#enqueue(definition.metadata.name ?? other)
  }

  /** Names that others of the group wanted may be free now. */
  #enqueueGroup({ spec, metadata }: Definition): void {
    for (const [name, other] of this.#definitions)
      if (other.spec.group === spec.group && name !== metadata.name) this.#enqueue(name)
  }

  async #writeStatus(name: string, change: (current: Definition) => Frozen<Definition['status']>): Promise<void> {
    const { core, kinds } = this.#parts
    const { group, version, plural } = customResourceDefinitions
    const write = {
      kind: kinds.byResource(group, version, plural)!,
      subresource: 'status',
      namespace: '',
      user: apiServerUser,
      warnings: [],
      dryRun: false,
      options: undefined,
      fieldManager: 'kube-apiserver',
      userAgent: '',
    }
    try {
      const { document } = await updateObject(core, {
        ...write,
        name,
        createIfMissing: false,
        unconditional: true,
        produce(old) {
          const draft = structuredClone({
            ...(old as Definition),
            status: change(old as Definition),
          }) as unknown as Draft
          recordFields(core, write, draft, old)
          return draft
        },
      })
      // Its names are taken from now on, before the event that tells of it.
      if (this.#definitions.has(name)) this.#definitions.set(name, document.object as Definition)
    } catch (error) {
      if (!isGone(error)) throw error
    }
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
        const write = {
          kind: storage.kind,
          subresource: '',
          namespace: entry.namespace,
          user: apiServerUser,
          warnings: [],
          dryRun: false,
          options: undefined,
        }
        const deletion = {
          gracePeriodSeconds: undefined,
          orphanDependents: undefined,
          propagationPolicy: undefined,
          uid: undefined,
          resourceVersion: undefined,
          dryRun: false,
        }
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
      const conditions = withConditions(current.status?.conditions ?? [], [terminated], clock.now())
      const draft = normalise(definitions.kind.schema, {
        ...current,
        metadata: { ...current.metadata, finalizers },
        status: { ...current.status, conditions },
      }) as unknown as Draft
      return finalizers.length > 0 ? { action: 'write', draft } : { action: 'remove', last: draft }
    })
  }
}

const terminating = {
  type: 'Terminating',
  status: 'True',
  reason: 'InstanceDeletionInProgress',
  message: 'CustomResource deletion is in progress',
}
const terminated = {
  type: 'Terminating',
  status: 'False',
  reason: 'InstanceDeletionCompleted',
  message: 'removed all instances',
}
