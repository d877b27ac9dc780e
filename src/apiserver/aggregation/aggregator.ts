import { apiServices } from '../../api/generated/resources.ts'
import type { APIService } from '../../api/generated/types/apiregistration-v1.ts'
import type { GroupDiscovery } from '../../api/discovery/documents.ts'
import { ApiError } from '../../api/errors/api-error.ts'
import type { Frozen } from '../../api/resource.ts'
import { compareVersions, type ServedGroup } from '../../api/table.ts'
import type { Deps } from '../../base/deps.ts'
import { textAnswer, valueAnswer, type Answer } from '../answer/answer.ts'
import { apiServerUser, mastersGroup } from '../authn/user.ts'
import { sendOn } from '../proxying/forward.ts'
import { follow } from '../registry/follow.ts'
import type { Draft } from '../registry/resource-storage.ts'
import type { ApiRequest } from '../request/api-request.ts'
import type { Core } from '../verbs/core.ts'
import { timeText } from '../../api/schema/times.ts'
import { isGone } from '../verbs/delete.ts'
import { recordFields, updateObject } from '../verbs/write.ts'
import { failedCheck, missingService, passed, type Availability } from './availability.ts'
import { discoveryAccept, versionFrom, type VersionDiscovery } from './discovery.ts'
import { forwardRequest, targetOf, userHeaders, wholeBody, type ForwardParts, type ProxyClient } from './forward.ts'

type Service = Frozen<APIService>

/** What the aggregator needs. */
export interface AggregatorParts extends Deps {
  readonly core: Core
  readonly proxyClient: ProxyClient | undefined
}

/** How often a server that answers is asked again, and one that does not. */
const checkMs = { available: 30_000, missing: 2000 }
/** How long discovery may take. */
const discoveryMs = 5000

/** Passes requests on to other API servers, and tells clients what they serve. */
export class Aggregator {
  readonly #parts: AggregatorParts
  readonly #forward: ForwardParts
  /** Those that are served elsewhere, by 'group/version'. */
  readonly #remote = new Map<string, Service>()
  readonly #discovered = new Map<string, VersionDiscovery>()
  readonly #timers = new Map<string, () => void>()
  #revision = 0
  #closed = false

  private constructor(parts: AggregatorParts) {
    this.#parts = parts
    this.#forward = { lookup: parts.core.registry, random: parts.random, proxyClient: parts.proxyClient }
  }

  /** Knows what is there, and follows what comes. */
  static async start(parts: AggregatorParts): Promise<Aggregator> {
    const aggregator = new Aggregator(parts)
    await follow(parts.core.registry.storageOfResource(apiServices)!.cache, {
      set: (entry) => aggregator.#set(entry.object as Service),
      remove: (before) => aggregator.#remove(before.object as Service),
    })
    return aggregator
  }

  close(): void {
    this.#closed = true
    for (const cancel of this.#timers.values()) cancel()
  }

  /** Grows when other servers begin or end to serve something. */
  revision(): number {
    return this.#revision
  }

  /** The groups that are served elsewhere. */
  groups(): ServedGroup[] {
    const groups = new Map<string, string[]>()
    for (const service of this.#available())
      groups.set(service.spec!.group!, [...(groups.get(service.spec!.group!) ?? []), service.spec!.version!])
    return [...groups].map(([name, versions]) => ({ name, versions: versions.sort(compareVersions) }))
  }

  /** The same with their resources. */
  discovery(): GroupDiscovery[] {
    return this.groups().map(({ name, versions }) => ({
      metadata: { name, creationTimestamp: null },
      versions: versions.map(
        (version) => this.#discovered.get(`${name}/${version}`) ?? { version, resources: [], freshness: 'Stale' },
      ),
    }))
  }

  /** The answer to a request for what is served elsewhere; undefined for all others. */
  answer(request: ApiRequest): Answer | Promise<Answer> | undefined {
    if (this.#remote.size === 0) return undefined
    const [, root, group = '', version] = request.info.path.split('/')
    if (root !== 'apis') return undefined
    if (version === undefined || version === '') return this.#group(group)
    const service = this.#remote.get(`${group}/${version}`)
    if (!service) return undefined
    return isAvailable(service)
      ? forwardRequest(this.#forward, service, request)
      : textAnswer(503, 'service unavailable\n')
  }

  /** The OpenAPI documents of other servers, by their names in the index. */
  openApiNames(): string[] {
    return this.#available().map(({ spec }) => `apis/${spec!.group}/${spec!.version}`)
  }

  /** One of them; undefined when it is none of theirs. */
  async openApi(name: string): Promise<Buffer | undefined> {
    const service = this.#remote.get(name.slice('apis/'.length))
    if (!name.startsWith('apis/') || !service || !isAvailable(service)) return undefined
    const answer = await this.#get(service, `/openapi/v3/${name}`, 'application/json')
    return answer.code === 200 ? answer.body : undefined
  }

  #group(name: string): Answer | undefined {
    if (this.#parts.core.kinds.group(name)) return undefined
    // A group is there while its server is not.
    const versions = [...this.#remote.values()]
      .flatMap(({ spec }) => (spec!.group === name ? [spec!.version!] : []))
      .sort(compareVersions)
      .map((version) => ({ groupVersion: `${name}/${version}`, version }))
    if (versions.length === 0) return undefined
    return valueAnswer({ kind: 'APIGroup', apiVersion: 'v1', name, versions, preferredVersion: versions[0]! } as object)
  }

  #available(): Service[] {
    return [...this.#remote.values()].filter(isAvailable)
  }

  #set(service: Service): void {
    const key = keyOf(service)
    if (!service.spec?.service) return this.#forget(key)
    const before = this.#remote.get(key)
    this.#remote.set(key, service)
    if (!before || isAvailable(before) !== isAvailable(service)) this.#revision++
    if (!before || JSON.stringify(before.spec) !== JSON.stringify(service.spec)) this.#schedule(key, 0)
  }

  #remove(service: Service): void {
    this.#forget(keyOf(service))
  }

  #forget(key: string): void {
    this.#timers.get(key)?.()
    this.#timers.delete(key)
    this.#discovered.delete(key)
    if (this.#remote.delete(key)) this.#revision++
  }

  #schedule(key: string, ms: number): void {
    this.#timers.get(key)?.()
    if (this.#closed) return
    this.#timers.set(
      key,
      this.#parts.clock.after(ms, () => {
        this.#check(key).then(
          (available) => this.#remote.has(key) && this.#schedule(key, available ? checkMs.available : checkMs.missing),
          (error: unknown) => {
            this.#parts.log.warn({ err: error, apiService: key }, 'an API service could not be checked')
            if (this.#remote.has(key)) this.#schedule(key, checkMs.missing)
          },
        )
      }),
    )
  }

  async #check(key: string): Promise<boolean> {
    const service = this.#remote.get(key)
    if (!service) return false
    const availability = missingService(this.#parts.core.registry, service) ?? (await this.#discover(key, service))
    await this.#writeCondition(service, availability)
    return availability.status === 'True'
  }

  /** Asks the server what it serves: it has to answer, whatever it says. */
  async #discover(key: string, service: Service): Promise<Availability> {
    const { group, version, service: reference } = service.spec!
    const path = `/apis/${group}/${version}`
    const url = `https://${reference!.name}.${reference!.namespace}.svc:${reference!.port ?? 443}${path}`
    try {
      const all = await this.#get(service, '/apis', discoveryAccept)
      const own = await this.#get(service, path, 'application/json')
      if (own.code < 200 || own.code > 299) return failedCheck(url, `bad status from ${url}: ${own.code}`)
      const found =
        (all.code === 200 ? versionFrom(JSON.parse(all.body.toString()), group!, version!) : undefined) ??
        versionFrom(JSON.parse(own.body.toString()), group!, version!)
      if (found && JSON.stringify(found) !== JSON.stringify(this.#discovered.get(key))) {
        this.#discovered.set(key, found)
        this.#revision++
      }
      return passed
    } catch (error) {
      return failedCheck(url, `Get ${JSON.stringify(url)}: ${error instanceof Error ? error.message : String(error)}`)
    }
  }

  async #get(service: Service, path: string, accept: string): Promise<{ code: number; body: Buffer }> {
    const target = targetOf(this.#forward, service)
    const headers = {
      ...userHeaders({ name: 'system:kube-aggregator', groups: [mastersGroup] }),
      accept,
      host: `${service.spec!.service!.name}.${service.spec!.service!.namespace}.svc`,
    }
    const { promise, reject } = Promise.withResolvers<never>()
    const cancel = this.#parts.clock.after(discoveryMs, () => reject(new Error('context deadline exceeded')))
    const asking = (async () => {
      const answer = await sendOn({ target, method: 'GET', path, headers }, undefined, (why) => new Error(why))
      return { code: answer.statusCode ?? 0, body: await wholeBody(answer) }
    })()
    try {
      return await Promise.race([asking, promise])
    } finally {
      cancel()
      asking.catch(() => undefined)
    }
  }

  async #writeCondition(service: Service, { status, reason, message }: Availability): Promise<void> {
    const { core, clock } = this.#parts
    const before = service.status?.conditions?.find(({ type }) => type === 'Available')
    if (before?.status === status && before.reason === reason && before.message === message) return
    const lastTransitionTime = before?.status === status ? before.lastTransitionTime : timeText(clock.now())
    const condition = { type: 'Available', status, lastTransitionTime, reason, message }
    const { group, version, plural } = apiServices
    const write = {
      kind: core.kinds.byResource(group, version, plural)!,
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
      await updateObject(core, {
        ...write,
        name: service.metadata.name ?? '',
        uid: service.metadata.uid,
        createIfMissing: false,
        unconditional: true,
        produce(old) {
          const { status: current, ...rest } = old as Service
          const conditions = [...(current?.conditions ?? []).filter(({ type }) => type !== 'Available'), condition]
          const draft = structuredClone({ ...rest, status: { ...current, conditions } }) as unknown as Draft
          recordFields(core, write, draft, old)
          return draft
        },
      })
    } catch (error) {
      // Gone, or made anew meanwhile.
      if (!isGone(error) && !(error instanceof ApiError && error.code === 409)) throw error
    }
  }
}

const keyOf = ({ spec }: Service): string => `${spec?.group ?? ''}/${spec?.version ?? ''}`

const isAvailable = ({ status }: Service): boolean =>
  status?.conditions?.some(({ type, status: value }) => type === 'Available' && value === 'True') ?? false
