import { isConflict, isNotFound } from '../../api/errors/api-error.ts'
import { configMaps, pods, secrets, serviceAccounts } from '../../api/generated/resources.ts'
import type { Pod, Secret } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { keyOf } from '../../api/resource.ts'
import { annotationsOf, isBeingDeleted, labelsOf, msOf, nameOf, namespaceOf, uidOf } from '../../client/object.ts'
import type { ControllerDescriptor, Running, StartContext } from '../framework/descriptor.ts'
import { periodically, type Periodic } from '../framework/periodic.ts'

/** Removes tokens that old clusters made for every service account, when nobody has used them for a year: first it marks them, a year later it deletes them. */
export const legacyServiceAccountTokenCleanerController: ControllerDescriptor = {
  name: 'legacy-serviceaccount-token-cleaner-controller',
  start: (context) => new LegacyTokenCleaner(context),
}

const dayMs = 86_400_000
const tokenType = 'kubernetes.io/service-account-token'
const lastUsedLabel = 'kubernetes.io/legacy-token-last-used'
const invalidSinceLabel = 'kubernetes.io/legacy-token-invalid-since'
/** Since when the API server notes uses: before that nobody knows. */
const trackingKey = { namespace: 'kube-system', name: 'kube-apiserver-legacy-service-account-token-tracking' }

/** What is to become of a token. */
export type Fate = 'keep' | 'mark' | 'delete'

class LegacyTokenCleaner implements Running {
  readonly ready: Promise<void>
  readonly #context: StartContext
  #loop: Periodic | undefined
  #closed = false

  constructor(context: StartContext) {
    this.#context = {
      ...context,
      log: context.log.child({ controller: legacyServiceAccountTokenCleanerController.name }),
    }
    this.ready = this.#start()
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#loop?.close()
  }

  async #start(): Promise<void> {
    const { informers } = this.#context
    await Promise.all([secrets, serviceAccounts, pods].map((resource) => informers.of<object>(resource).synced))
    if (!this.#closed) this.#loop = periodically(this.#context, dayMs, () => this.#clean())
  }

  async #clean(): Promise<void> {
    const { clock, informers, options } = this.#context
    const nowMs = clock.now()
    const sinceMs = await this.#trackedSinceMs()
    const periodMs = options.legacyServiceAccountTokenCleanUpPeriodMs
    if (sinceMs === undefined || nowMs < sinceMs + periodMs) return
    const mounted = new Map<string, Set<string>>()
    for (const secret of informers.of(secrets).list()) {
      if (secret.type !== tokenType || isBeingDeleted(secret) || !this.#isGenerated(secret)) continue
      const fate = fateOf(secret, nowMs, periodMs)
      if (fate === 'keep' || this.#mountedIn(namespaceOf(secret), mounted).has(nameOf(secret))) continue
      await this.#act(secret, fate, nowMs)
    }
  }

  async #trackedSinceMs(): Promise<number | undefined> {
    try {
      const since = (await this.#context.client.get(configMaps, trackingKey)).data?.['since']
      return since === undefined ? undefined : Date.parse(since) + dayMs
    } catch (error) {
      if (isNotFound(error)) return undefined
      throw error
    }
  }

  /** Its service account refers to it: so the cluster made it, not a person. */
  #isGenerated(secret: Frozen<Secret>): boolean {
    const { 'kubernetes.io/service-account.name': name = '', 'kubernetes.io/service-account.uid': uid } =
      annotationsOf(secret)
    const account = this.#context.informers.of(serviceAccounts).get({ namespace: namespaceOf(secret), name })
    return (
      account !== undefined &&
      (!uid || uid === uidOf(account)) &&
      (account.secrets ?? []).some((reference) => reference.name === nameOf(secret))
    )
  }

  #mountedIn(namespace: string, known: Map<string, Set<string>>): Set<string> {
    const found = known.get(namespace) ?? new Set(this.#context.informers.of(pods).list(namespace).flatMap(secretsOf))
    known.set(namespace, found)
    return found
  }

  async #act(secret: Frozen<Secret>, fate: 'mark' | 'delete', nowMs: number): Promise<void> {
    const { client } = this.#context
    try {
      if (fate === 'mark')
        await client.patch(
          secrets,
          keyOf(secret),
          { metadata: { uid: uidOf(secret), labels: { [invalidSinceLabel]: dateOf(nowMs) } } },
          { type: 'merge' },
        )
      else
        await client.delete(secrets, keyOf(secret), {
          uid: uidOf(secret),
          ...(secret.metadata.resourceVersion && { resourceVersion: secret.metadata.resourceVersion }),
        })
    } catch (error) {
      if (!isConflict(error) && !isNotFound(error)) throw error
    }
  }
}

const dateOf = (ms: number): string => new Date(ms).toISOString().slice(0, 10)
const isDate = (text: string | undefined): text is string => text !== undefined && /^\d{4}-\d{2}-\d{2}$/.test(text)

/** Unused for the period: marked; marked for the period: deleted. */
export function fateOf(secret: Frozen<Secret>, nowMs: number, periodMs: number): Fate {
  const limitMs = nowMs - periodMs
  const limit = dateOf(limitMs)
  if (!secret.metadata.creationTimestamp || msOf(secret.metadata.creationTimestamp) >= limitMs) return 'keep'
  const { [lastUsedLabel]: lastUsed, [invalidSinceLabel]: invalidSince } = labelsOf(secret)
  if (lastUsed !== undefined && (!isDate(lastUsed) || lastUsed >= limit)) return 'keep'
  if (!isDate(invalidSince)) return 'mark'
  return invalidSince >= limit ? 'keep' : 'delete'
}

/** Every Secret that a pod names. */
function secretsOf({ spec }: Frozen<Pod>): string[] {
  const containers = [
    ...(spec?.containers ?? []),
    ...(spec?.initContainers ?? []),
    ...(spec?.ephemeralContainers ?? []),
  ]
  const names = [
    ...(spec?.imagePullSecrets ?? []).map(({ name }) => name),
    ...containers.flatMap(({ env = [], envFrom = [] }) => [
      ...env.map(({ valueFrom }) => valueFrom?.secretKeyRef?.name),
      ...envFrom.map(({ secretRef }) => secretRef?.name),
    ]),
    ...(spec?.volumes ?? []).flatMap(({ secret, projected, csi }) => [
      secret?.secretName,
      csi?.nodePublishSecretRef?.name,
      ...(projected?.sources ?? []).map((source) => source.secret?.name),
    ]),
  ]
  return names.filter((name) => name !== undefined)
}
