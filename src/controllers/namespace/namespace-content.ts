import { ApiError, isNotFound } from '../../api/errors/api-error.ts'
import type { Frozen, KubernetesObject } from '../../api/resource.ts'
import type { Client } from '../../client/client.ts'
import { discover, type DiscoveredResource } from '../../client/discovery.ts'
import { messageOf } from '../framework/context.ts'

/** What is left in a namespace that goes. */
export interface Remains {
  /** By 'pods.' or 'deployments.apps': how many. */
  readonly objects: ReadonlyMap<string, number>
  /** By finalizer: how many objects wait for it. */
  readonly finalizers: ReadonlyMap<string, number>
  /** What could not be found out, and what could not be deleted. */
  readonly discoveryFailures: readonly string[]
  readonly deletionFailures: readonly string[]
  /** Seconds after which the slowest should be gone. */
  readonly estimateSeconds: number
}

/** Deletes everything in a namespace: the pods first, so that no policy or secret is taken from under them, then all else. */
export async function deleteContent(client: Client, namespace: string): Promise<Remains> {
  const { resources, failed } = await discover(client)
  const sweep = new Sweep(client, namespace)
  for (const { groupVersion, error } of failed)
    sweep.discoveryFailures.push(
      `unable to retrieve the complete list of server APIs: ${groupVersion}: ${messageOf(error)}`,
    )
  const inNamespace = resources.filter(
    ({ namespaced, verbs, preferred }) => namespaced && preferred && verbs.includes('delete'),
  )
  const pods = inNamespace.filter(({ group, plural }) => group === '' && plural === 'pods')
  for (const resource of pods) await sweep.clear(resource)
  if (sweep.objects.size === 0 && sweep.deletionFailures.length === 0) {
    for (const resource of inNamespace) if (!pods.includes(resource)) await sweep.clear(resource)
  }
  return sweep
}

class Sweep implements Remains {
  readonly objects = new Map<string, number>()
  readonly finalizers = new Map<string, number>()
  readonly discoveryFailures: string[] = []
  readonly deletionFailures: string[] = []
  estimateSeconds = 0
  readonly #client: Client
  readonly #namespace: string

  constructor(client: Client, namespace: string) {
    this.#client = client
    this.#namespace = namespace
  }

  async clear(resource: DiscoveredResource): Promise<void> {
    const name = `${resource.plural}.${resource.group}`
    try {
      if (!resource.verbs.includes('list')) return
      const before = await this.#list(resource)
      if (before.length === 0) return
      await this.#delete(resource, before)
      this.#count(name, await this.#list(resource), resource)
    } catch (error) {
      if (isGone(error)) return
      this.deletionFailures.push(messageOf(error))
    }
  }

  async #delete(resource: DiscoveredResource, objects: readonly Frozen<KubernetesObject>[]): Promise<void> {
    if (resource.verbs.includes('deletecollection'))
      return this.#client.deleteCollection(resource, { namespace: this.#namespace, propagationPolicy: 'Background' })
    for (const { metadata } of objects) {
      try {
        await this.#client.delete(
          resource,
          { namespace: this.#namespace, name: metadata?.name ?? '' },
          { propagationPolicy: 'Background' },
        )
      } catch (error) {
        if (!isNotFound(error)) throw error
      }
    }
  }

  async #list(resource: DiscoveredResource): Promise<readonly Frozen<KubernetesObject>[]> {
    return (await this.#client.list(resource, { namespace: this.#namespace, metadataOnly: true })).items
  }

  #count(name: string, left: readonly Frozen<KubernetesObject>[], { group, plural }: DiscoveredResource): void {
    if (left.length === 0) return
    this.objects.set(name, left.length)
    let seconds = 0
    for (const { metadata } of left) {
      for (const finalizer of metadata?.finalizers ?? [])
        this.finalizers.set(finalizer, (this.finalizers.get(finalizer) ?? 0) + 1)
      if (group === '' && plural === 'pods') seconds = Math.max(seconds, metadata?.deletionGracePeriodSeconds ?? 0)
    }
    // Whoever holds the rest: look again in 15 seconds.
    this.estimateSeconds = Math.max(this.estimateSeconds, seconds || finalizersLeftSeconds)
  }
}

const finalizersLeftSeconds = 15

/** The resource is served no longer, or not in this way. */
const isGone = (error: unknown): boolean => error instanceof ApiError && (error.code === 404 || error.code === 405)
