import { alreadyExists, conflict, invalid, notFound } from '../../api/errors/api-error.ts'
import { deepEqual, shareEqual } from '../../api/schema/values.ts'
import { conversionOf } from '../../api/apply/conversion.ts'
import { managerOf } from '../../api/apply/field-manager.ts'
import { keepTimesWhenUnchanged } from '../../api/apply/server-side-apply.ts'
import { updateManagedFields } from '../../api/apply/update-managed-fields.ts'
import { resetFieldsOf } from '../../api/apply/reset-fields.ts'
import type { Kind } from '../../api/kind.ts'
import { apiVersionOf, type Frozen, type KubernetesObject } from '../../api/resource.ts'
import { field, FieldErrors } from '../../api/validation/field.ts'
import type { Attributes } from '../admission/admission.ts'
import type { User } from '../authn/user.ts'
import { denied } from '../authz/authorizer.ts'
import type { CachedObject } from '../cache/cache.ts'
import { Document } from '../cache/document.ts'
import type { Changed, Draft, Outcome } from '../registry/resource-storage.ts'
import { warn } from '../request/api-request.ts'
import { contextOf, served, storageOf, storedSoon, type Core, type WriteEnd } from './core.ts'
import { shapedObject } from './kind-codec.ts'
import { deletionRules } from './deletion-rules.ts'
import { dedupOwners, generateName } from './metadata.ts'
import { beforeCreate, beforeUpdate } from './rules.ts'

/** What is done to objects of a kind, and for whom, as far as admission is told. */
export interface Operation {
  readonly kind: Kind
  readonly subresource: string
  readonly namespace: string
  readonly user: User
  readonly warnings: string[]
  readonly dryRun: boolean
  /** The request's options as an object of the API, for webhooks. */
  readonly options: Frozen<KubernetesObject> | undefined
}

/** What creations and updates have in common. */
export interface Write extends Operation {
  /** Who changes fields. '': the client names none, and is known by its user agent. */
  readonly fieldManager: string
  readonly userAgent: string
}

/** A change of one object. */
export interface Update extends Write {
  readonly name: string
  /** Makes the new object of the present one (undefined when there is none and `createIfMissing`), managed fields included. Called again when somebody else wrote meanwhile. */
  readonly produce: (old: Frozen<KubernetesObject> | undefined) => Draft | Promise<Draft>
  readonly createIfMissing: boolean
  /** The object has to be that very one. */
  readonly uid?: string | undefined
  /** The client itself gave no resource version, and none is needed. */
  readonly unconditional?: boolean
}

/** How often a name is generated anew when it is taken. */
const generatedNamesMax = 8

/** Stores a new object. `draft` is decoded, defaulted, and has its managed fields. */
export async function createObject(core: Core, write: Write, draft: Draft): Promise<Changed> {
  const generated = !draft.metadata.name && Boolean(draft.metadata.generateName)
  dedupOwners(draft, warner(write), false)
  const attributes = attributesOf(write, 'CREATE', draft, undefined)
  const pending = core.admission.admit(attributes)
  if (pending) await pending
  dedupOwners(draft, warner(write), true)
  generateName(draft, write.kind, core.random)
  const ends: WriteEnd[] = []
  let done = false
  try {
    const end = await begin(core, write, draft, undefined)
    if (end) ends.push(end)
    beforeCreate(write.kind, draft, contextOf(core, write, write.subresource))
    const validation = core.admission.validate({
      ...attributes,
      name: draft.metadata.name ?? '',
      warn: attributes.warn,
    })
    if (validation) await validation
    const created = await putNew(core, write, draft, generated)
    done = !write.dryRun
    return created
  } finally {
    await finish(ends, done)
  }
}

async function putNew(core: Core, write: Write, draft: Draft, generated: boolean): Promise<Changed> {
  const storage = storageOf(core, write.kind)
  const object = await storedSoon(write.kind, shaped(write, draft))
  for (let attempt = 0; ; attempt++) {
    const name = object.metadata.name!
    if (write.dryRun) {
      if (!storage.get(write.namespace, name))
        return { document: Document.ofObject(object as Frozen<KubernetesObject>), revision: 0, action: 'create' }
    } else {
      // A name that is known to be taken needs no write to find out.
      const created = storage.get(write.namespace, name) ? undefined : await storage.create(object)
      if (created) return created
    }
    if (!generated || attempt + 1 >= generatedNamesMax) throw alreadyExists(write.kind.resource, name)
    delete object.metadata.name
    generateName(object, write.kind, core.random)
  }
}

/** Changes an object, or creates it where that is asked for. */
export async function updateObject(core: Core, update: Update): Promise<Changed> {
  const storage = storageOf(core, update.kind)
  const key = storage.keyOf(update.namespace, update.name)
  if (update.dryRun) {
    const current = storage.cache.get(key)
    const outcome = await outcomeOf(core, update, current, [])
    if (outcome.action === 'keep') return { document: current!.document, revision: current!.revision, action: 'keep' }
    const object = outcome.action === 'write' ? outcome.draft : outcome.last
    return {
      document: Document.ofObject(object as Frozen<KubernetesObject>),
      revision: current?.revision ?? 0,
      action: current ? outcome.action : 'create',
    }
  }
  let ends: WriteEnd[] = []
  let done = false
  try {
    const changed = await storage.change(key, async (current) => {
      await finish(ends, false)
      return outcomeOf(core, update, current, (ends = []))
    })
    done = true
    if (!changed) throw notFound(update.kind.resource, update.name)
    if (changed.action === 'remove')
      await core.hooks.get(storage.kind.storagePrefix)?.removed?.(changed.document.object)
    return changed
  } finally {
    await finish(ends, done)
  }
}

async function outcomeOf(
  core: Core,
  update: Update,
  current: CachedObject | undefined,
  ends: WriteEnd[],
): Promise<Outcome> {
  const { kind, name } = update
  if (!current) return createInstead(core, update, ends)
  if (kind.storedAs?.prepare) await kind.storedAs.prepare('fromStored', [current.object])
  const old = served(kind, current.object)
  const produced = update.produce(old)
  const draft = produced instanceof Promise ? await produced : produced
  dedupOwners(draft, warner(update), false)
  const attributes = attributesOf(update, 'UPDATE', draft, old)
  const pending = core.admission.admit(attributes)
  if (pending) await pending
  dedupOwners(draft, warner(update), true)
  if (update.uid && update.uid !== old.metadata?.uid) {
    throw conflict(
      kind.resource,
      name,
      `Precondition failed: UID in precondition: ${update.uid}, UID in object meta: ${old.metadata?.uid ?? ''}`,
    )
  }
  checkVersion(update, draft, old)
  const end = await begin(core, update, draft, old)
  if (end) ends.push(end)
  beforeUpdate(kind, draft, old, contextOf(core, update, update.subresource))
  const validation = core.admission.validate(attributes)
  if (validation) await validation
  const object = keepTimesWhenUnchanged(old, shaped(update, draft, old)) as Draft
  if (deletesNow(kind, object, old)) return { action: 'remove', last: await storedSoon(kind, object) }
  if (deepEqual(object, old)) return { action: 'keep' }
  return { action: 'write', draft: await storedSoon(kind, object) }
}

async function createInstead(core: Core, update: Update, ends: WriteEnd[]): Promise<Outcome> {
  const { kind, name } = update
  if (!update.createIfMissing) throw notFound(kind.resource, name)
  const draft = await update.produce(undefined)
  mayCreate(core, update)
  if (update.uid)
    throw conflict(kind.resource, name, `Precondition failed: UID in precondition: ${update.uid}, UID in object meta: `)
  if (draft.metadata.resourceVersion && draft.metadata.resourceVersion !== '0') throw notFound(kind.resource, name)
  delete draft.metadata.resourceVersion
  const attributes = attributesOf(update, 'CREATE', draft, undefined)
  const pending = core.admission.admit(attributes)
  if (pending) await pending
  const end = await begin(core, update, draft, undefined)
  if (end) ends.push(end)
  beforeCreate(kind, draft, contextOf(core, update, ''))
  const validation = core.admission.validate(attributes)
  if (validation) await validation
  return { action: 'write', draft: await storedSoon(kind, shaped(update, draft)) }
}

/** Creating by an update or a patch takes the right to create. */
function mayCreate(core: Core, { kind, user, namespace, name }: Update): void {
  const { group, version, plural } = kind.resource
  const ask = {
    user,
    verb: 'create',
    isResource: true,
    path: '',
    group,
    version,
    namespace,
    resource: plural,
    subresource: '',
    name,
  }
  const { verdict, reason } = core.authorizer.authorize(ask)
  if (verdict !== 'allow') throw denied(ask, reason)
}

/** The draft in upstream's shape again, after rules and plugins have changed it: order of fields, zero values. */
function shaped({ kind, dryRun }: Write, draft: Draft, old?: Frozen<KubernetesObject>): Draft {
  // A dry run shows what nobody has read from storage yet.
  if (dryRun) return shapedObject(kind, draft)
  // The revision comes last, yet has its place before others.
  if (!old) draft.metadata.resourceVersion ??= '0'
  // What is read from upstream's storage has its defaults filled in again: some follow from what the rules have set.
  kind.behaviour.defaults?.(draft)
  return shapedObject(kind, old ? shareEqual(old, draft) : draft, old)
}

/** Optimistic concurrency: a resource version that the client gave must be the newest. */
function checkVersion({ kind, name, unconditional }: Update, draft: Draft, old: Frozen<KubernetesObject>): void {
  const given = draft.metadata.resourceVersion
  if (!given || given === '0') {
    if (!unconditional && kind.behaviour.unconditionalUpdate === false) {
      const errors = new FieldErrors()
      errors.invalid(field('metadata', 'resourceVersion'), 0, 'must be specified for an update')
      throw invalid(kind.resource.group, kind.resource.plural, name, errors)
    }
    draft.metadata.resourceVersion = old.metadata!.resourceVersion!
  } else if (given !== old.metadata?.resourceVersion) throw conflict(kind.resource, name)
}

/** The last finalizer of an object that is being deleted is gone. */
function deletesNow(kind: Kind, draft: Draft, old: Frozen<KubernetesObject>): boolean {
  if (draft.metadata.finalizers?.length || !old.metadata?.deletionTimestamp) return false
  if (
    deletionRules(kind).bySpecFinalizers &&
    (draft as { spec?: { finalizers?: readonly string[] } }).spec?.finalizers?.length
  )
    return false
  return !old.metadata.deletionGracePeriodSeconds
}

/** What the kind's hook does before a write, such as setting addresses aside; its end is for the caller to see to. */
function begin(
  core: Core,
  { kind, dryRun, subresource }: Write,
  draft: Draft,
  old: Frozen<KubernetesObject> | undefined,
): Promise<WriteEnd | undefined> | undefined {
  return subresource === '' ? core.hooks.get(kind.storagePrefix)?.begin(draft, old, dryRun) : undefined
}

async function finish(ends: readonly WriteEnd[], done: boolean): Promise<void> {
  for (const end of ends) await (done ? end.commit() : end.revert())
}

const warner = (write: Operation) => ({ push: (text: string) => warn(write, text) })

/** An operation as admission sees it. The name is the object's: what has none of its own (a connection's options) gets it from the caller. */
export function attributesOf(
  write: Operation,
  operation: Attributes['operation'],
  object: Draft | undefined,
  old: Frozen<KubernetesObject> | undefined,
): Attributes {
  const { kind, subresource, namespace, options, dryRun, user } = write
  const name = (old ?? object)?.metadata?.name ?? ''
  return {
    operation,
    kind,
    subresource,
    namespace: namespace || (kind.resource.plural === 'namespaces' && kind.resource.group === '' ? name : ''),
    name,
    object,
    old,
    options,
    dryRun,
    user,
    warn: (text) => warn(write, text),
  }
}

/** Puts down who changed which fields. */
export function recordFields(core: Core, write: Write, draft: Draft, old: Frozen<KubernetesObject> | undefined): void {
  const { kind, subresource } = write
  const managedFields = updateManagedFields({
    schema: kind.schema,
    apiVersion: apiVersionOf(kind.resource),
    old,
    new: draft as Frozen<KubernetesObject>,
    manager: managerOf(write.fieldManager, write.userAgent),
    subresource,
    nowMs: core.clock.now(),
    resetFields: resetFieldsOf(kind, subresource),
    convert: conversionOf(core.kinds, kind),
  })
  if (managedFields) draft.metadata.managedFields = managedFields
  else delete draft.metadata.managedFields
}
