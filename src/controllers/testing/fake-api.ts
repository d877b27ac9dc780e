import * as generated from '../../api/generated/resources.ts'
import { alreadyExists, conflict, noSuchPath, notFound } from '../../api/errors/api-error.ts'
import type { Frozen, KubernetesObject } from '../../api/resource.ts'
import type { Clock } from '../../base/clock.ts'
import { nameSuffix, type Random } from '../../base/random.ts'
import { timestamp } from '../../client/object.ts'
import type { Transport, TransportRequest, WatchEvent } from '../../client/transport.ts'

type Json = Record<string, unknown>
interface DeleteBody {
  preconditions?: { uid?: string; resourceVersion?: string }
  propagationPolicy?: 'Foreground' | 'Background' | 'Orphan'
}
interface Stored extends KubernetesObject {
  spec?: Json
  status?: Json
}

interface Watcher {
  readonly collection: Place
  push(event: WatchEvent): void
}

interface Place {
  readonly prefix: string
  readonly plural: string
  readonly namespace: string | undefined
  readonly name: string | undefined
  readonly subresource: string | undefined
}

/**
 * Just enough of an API server to try controllers on: versions, generations, finalizers, status, merges by field. No defaults, no validation,
 * no access rules; what depends on those is tested on the real one.
 */
export class FakeApi implements Transport {
  /** Of every write: 'POST pods'. */
  readonly writes: string[] = []
  /** Refuses requests: throws, or does nothing. */
  refuse: (request: TransportRequest) => void = () => {}
  readonly #clock: Clock
  readonly #random: Random
  readonly #objects = new Map<string, Frozen<Stored>>()
  readonly #watchers = new Set<Watcher>()
  readonly #history: { readonly place: Place; readonly event: WatchEvent; readonly version: number }[] = []
  #version = 1

  constructor(clock: Clock, random: Random) {
    this.#clock = clock
    this.#random = random
  }

  async send(request: TransportRequest): Promise<unknown> {
    await Promise.resolve()
    this.refuse(request)
    const discovered = discovery[request.path]
    if (discovered) return discovered()
    const place = placeOf(request.path)
    if (request.method !== 'GET') this.writes.push(`${request.method} ${place.plural}${place.subresource ? `/${place.subresource}` : ''}`)
    if (place.name === undefined) {
      if (request.method === 'GET') return this.#list(place)
      if (request.method === 'POST') return this.#create(place, request.body as Stored)
      if (request.method === 'DELETE') return this.#all(place).forEach((object) => this.#delete({ ...place, name: object.metadata?.name }))
      throw noSuchPath()
    }
    switch (request.method) {
      case 'GET':
        return this.#get(place)
      case 'PUT':
        return this.#update(place, request.body as Stored)
      case 'PATCH':
        return this.#update(place, merged(this.#get(place), request.body, request.contentType?.includes('strategic') ?? false) as Stored)
      case 'DELETE':
        return this.#delete(place, request.body as DeleteBody)
      case 'POST':
        throw noSuchPath()
    }
  }

  async *watch(request: TransportRequest, signal: AbortSignal): AsyncGenerator<WatchEvent> {
    const collection = placeOf(request.path)
    const from = Number(request.query?.['resourceVersion'] ?? 0)
    const events: WatchEvent[] = this.#history.filter(({ place, version }) => version > from && within(place, collection)).map(({ event }) => event)
    let wake = () => {}
    const watcher: Watcher = {
      collection,
      push(event) {
        events.push(event)
        wake()
      },
    }
    this.#watchers.add(watcher)
    signal.addEventListener('abort', () => wake(), { once: true })
    try {
      while (!signal.aborted) {
        const event = events.shift()
        if (event) yield event
        else await new Promise<void>((resolve) => (wake = resolve))
      }
    } finally {
      this.#watchers.delete(watcher)
    }
  }

  close(): Promise<void> {
    return Promise.resolve()
  }

  #all(place: Place): Frozen<Stored>[] {
    return [...this.#objects].filter(([key]) => within(placeOf(key), place)).map(([, object]) => object)
  }

  #list(place: Place) {
    return { metadata: { resourceVersion: String(this.#version) }, items: this.#all(place) }
  }

  #get(place: Place): Frozen<Stored> {
    const object = this.#objects.get(keyOf(place))
    if (!object) throw notFound({ group: groupOf(place), plural: place.plural }, place.name ?? '')
    return object
  }

  #create(place: Place, body: Stored): Frozen<Stored> {
    const name = body.metadata?.name ?? `${body.metadata?.generateName}${nameSuffix(this.#random)}`
    const target = { ...place, name }
    if (this.#objects.has(keyOf(target))) throw alreadyExists({ group: groupOf(place), plural: place.plural }, name)
    const metadata = { ...body.metadata, name, uid: this.#random.uuid(), creationTimestamp: timestamp(this.#clock.now()), ...(place.namespace && { namespace: place.namespace }), ...(body.spec && { generation: 1 }) }
    return this.#store(target, { ...body, metadata }, 'ADDED')
  }

  #update(place: Place, body: Stored): Frozen<Stored> {
    const old = this.#get(place)
    const version = body.metadata?.resourceVersion
    if (version !== undefined && version !== old.metadata?.resourceVersion) throw conflict({ group: groupOf(place), plural: place.plural }, place.name ?? '')
    const { uid, creationTimestamp, deletionTimestamp, generation } = old.metadata ?? {}
    const specChanged = place.subresource === undefined && JSON.stringify(body.spec) !== JSON.stringify(old.spec)
    const metadata = { ...body.metadata, uid, creationTimestamp, ...(deletionTimestamp && { deletionTimestamp }), ...(generation && { generation: generation + Number(specChanged) }) } as KubernetesObject['metadata']
    const next = (place.subresource === 'status' ? { ...old, metadata, status: body.status } : { ...body, metadata, status: old.status }) as Stored
    if (next.status === undefined) delete next.status
    const same = JSON.stringify({ ...next, metadata: { ...next.metadata, resourceVersion: '' } }) === JSON.stringify({ ...old, metadata: { ...old.metadata, resourceVersion: '' } })
    if (same) return old
    const held = ((next as { spec?: { finalizers?: string[] } }).spec?.finalizers ?? []).length > 0
    if (deletionTimestamp && (metadata?.finalizers ?? []).length === 0 && !held && (place.plural !== 'pods' || old.metadata?.finalizers?.length)) return this.#remove(place, next)
    return this.#store(place, next, 'MODIFIED')
  }

  #delete(place: Place, { preconditions = {}, propagationPolicy }: DeleteBody = {}): Frozen<Stored> {
    const old = this.#get(place)
    const { uid, resourceVersion } = preconditions
    const differs = (uid !== undefined && uid !== old.metadata?.uid) || (resourceVersion !== undefined && resourceVersion !== old.metadata?.resourceVersion)
    if (differs) throw conflict({ group: groupOf(place), plural: place.plural }, place.name ?? '')
    const added = { Foreground: 'foregroundDeletion', Orphan: 'orphan', Background: undefined }[propagationPolicy ?? 'Background']
    const finalizers = [...new Set([...(old.metadata?.finalizers ?? []), ...(added ? [added] : [])])]
    const held = (old.spec?.['finalizers'] as string[] | undefined) ?? []
    if (finalizers.length === 0 && held.length === 0) return this.#remove(place, old as Stored)
    const deletionTimestamp = old.metadata?.deletionTimestamp ?? timestamp(this.#clock.now())
    return this.#store(place, { ...old, metadata: { ...old.metadata, finalizers, deletionTimestamp } } as Stored, 'MODIFIED')
  }

  #store(place: Place, object: Stored, type: 'ADDED' | 'MODIFIED'): Frozen<Stored> {
    const stored = this.#versioned(object)
    this.#objects.set(keyOf(place), stored)
    this.#tell(place, { type, object: stored })
    return stored
  }

  #remove(place: Place, object: Stored): Frozen<Stored> {
    const last = this.#versioned(object)
    this.#objects.delete(keyOf(place))
    this.#tell(place, { type: 'DELETED', object: last })
    return last
  }

  #versioned(object: Stored): Frozen<Stored> {
    const copy = structuredClone({ ...object, metadata: { ...object.metadata, resourceVersion: String(++this.#version) } })
    return deepFreeze(copy)
  }

  #tell(place: Place, event: WatchEvent): void {
    this.#history.push({ place, event, version: this.#version })
    for (const watcher of this.#watchers) if (within(place, watcher.collection)) watcher.push(event)
  }
}

/** Every built-in resource, in one version each. */
const resources = Object.values(generated)
const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch']
const discovery: Record<string, () => unknown> = {
  '/api': () => ({ kind: 'APIVersions', versions: ['v1'] }),
  '/apis': () => ({ kind: 'APIGroupList', groups: [...new Set(resources.filter(({ group }) => group !== '').map(({ group, version }) => `${group}/${version}`))].map((groupVersion) => ({ name: groupVersion.split('/')[0], versions: [{ groupVersion, version: groupVersion.split('/')[1] }] })) }),
}
for (const { group, version } of resources) {
  const list = resources.filter((each) => each.group === group && each.version === version)
  discovery[group ? `/apis/${group}/${version}` : `/api/${version}`] = () => ({ kind: 'APIResourceList', resources: list.map(({ plural, kind, namespaced }) => ({ name: plural, kind, namespaced, verbs })) })
}

const prefixPattern = /^(\/api\/v1|\/apis\/[^/]+\/[^/]+)(?:\/namespaces\/([^/]+)(?=\/[^/]+))?\/([^/]+)(?:\/([^/]+))?(?:\/(.+))?$/

function placeOf(path: string): Place {
  const match = prefixPattern.exec(path)
  // '/api/v1/namespaces/x/status' and '/finalize' are the Namespace's own.
  const own = /^(\/api\/v1)\/namespaces\/([^/]+)\/(status|finalize)$/.exec(path)
  if (own) return { prefix: own[1]!, plural: 'namespaces', namespace: undefined, name: own[2], subresource: own[3] }
  if (!match) throw noSuchPath()
  return { prefix: match[1]!, namespace: match[2], plural: match[3]!, name: match[4], subresource: match[5] }
}

const keyOf = ({ prefix, namespace, plural, name }: Place): string => `${prefix}${namespace ? `/namespaces/${namespace}` : ''}/${plural}/${name}`
const groupOf = ({ prefix }: Place): string => (prefix === '/api/v1' ? '' : prefix.split('/')[2]!)
const within = (place: Place, collection: Place): boolean => place.prefix === collection.prefix && place.plural === collection.plural && (collection.namespace === undefined || collection.namespace === place.namespace)

function merged(old: unknown, patch: unknown, strategic: boolean): unknown {
  if (strategic && Array.isArray(patch) && patch.some((item: Json) => item['uid'] !== undefined)) return mergedByUid((old ?? []) as Json[], patch as Json[])
  if (typeof patch !== 'object' || patch === null || Array.isArray(patch)) return patch
  const base = (typeof old === 'object' && old !== null && !Array.isArray(old) ? old : {}) as Json
  const out: Json = { ...base }
  for (const [key, value] of Object.entries(patch as Json)) {
    if (value === null) delete out[key]
    else out[key] = merged(base[key], value, strategic)
  }
  return out
}

function mergedByUid(old: Json[], patch: Json[]): Json[] {
  const removed = new Set(patch.filter((item) => item['$patch'] === 'delete').map((item) => item['uid']))
  const added = patch.filter((item) => item['$patch'] === undefined && !old.some((there) => there['uid'] === item['uid']))
  return [...old.filter((item) => !removed.has(item['uid'])), ...added]
}

function deepFreeze<T>(value: T): Frozen<T> {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value)
    Object.values(value).forEach(deepFreeze)
  }
  return value as Frozen<T>
}
