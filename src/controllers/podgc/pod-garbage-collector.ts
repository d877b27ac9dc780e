import { isNotFound } from '../../api/errors/api-error.ts'
import { nodes, pods } from '../../api/generated/resources.ts'
import type { Node, Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { isBeingDeleted, msOf, nameOf, namespaceOf, uidOf } from '../../client/object.ts'
import { isTrue } from '../framework/conditions.ts'
import type { ControllerDescriptor, Running, StartContext } from '../framework/descriptor.ts'
import { isTerminal } from '../framework/pod.ts'
import { deletePod, markDisrupted } from '../framework/pod-eviction.ts'
import { periodically, type Periodic } from '../framework/periodic.ts'

type FrozenPod = Frozen<Pod>

/** Removes pods that nobody else will: of nodes that are gone, that were deleted before they had a node, and ended ones when there are very many. */
export const podGarbageCollectorController: ControllerDescriptor = {
  name: 'pod-garbage-collector-controller',
  start: (context) => new PodGarbageCollector(context),
}

const periodMs = 20_000
/** A node that is not there may be about to be registered. */
const quarantineMs = 40_000
const outOfServiceTaint = 'node.kubernetes.io/out-of-service'

class PodGarbageCollector implements Running {
  readonly ready: Promise<void>
  readonly #context: StartContext
  readonly #missingSinceMs = new Map<string, number>()
  #loop: Periodic | undefined
  #closed = false

  constructor(context: StartContext) {
    this.#context = { ...context, log: context.log.child({ controller: podGarbageCollectorController.name }) }
    this.ready = this.#start()
  }

  async close(): Promise<void> {
    this.#closed = true
    await this.#loop?.close()
  }

  async #start(): Promise<void> {
    const { informers } = this.#context
    await Promise.all([informers.of(pods).synced, informers.of(nodes).synced])
    if (!this.#closed) this.#loop = periodically(this.#context, periodMs, () => this.#collect())
  }

  async #collect(): Promise<void> {
    const all = this.#context.informers.of(pods).list()
    for (const pod of surplusOf(all, this.#context.options.terminatedPodGcThreshold))
      await this.#remove(pod, 'terminated')
    await this.#collectOutOfService(all)
    await this.#collectOrphans(all)
    for (const pod of all) {
      if (!isBeingDeleted(pod) || pod.spec?.nodeName) continue
      await this.#remove(pod, 'terminating-unscheduled')
    }
  }

  /** On a node that somebody declared dead, pods that are being deleted are gone. */
  async #collectOutOfService(all: readonly FrozenPod[]): Promise<void> {
    for (const pod of all) {
      if (!isBeingDeleted(pod) || !pod.spec?.nodeName) continue
      const node: Frozen<Node> | undefined = this.#context.informers.of(nodes).get({ name: pod.spec.nodeName })
      const dead =
        node &&
        !isTrue(node.status?.conditions, 'Ready') &&
        node.spec?.taints?.some(({ key }) => key === outOfServiceTaint)
      if (dead) await this.#remove(pod, 'terminating-out-of-service')
    }
  }

  async #collectOrphans(all: readonly FrozenPod[]): Promise<void> {
    const { clock, client, informers } = this.#context
    const nowMs = clock.now()
    const missing = new Set<string>()
    for (const { spec } of all)
      if (spec?.nodeName && !informers.of(nodes).get({ name: spec.nodeName })) missing.add(spec.nodeName)
    for (const name of this.#missingSinceMs.keys()) if (!missing.has(name)) this.#missingSinceMs.delete(name)
    for (const name of missing) {
      const sinceMs = this.#missingSinceMs.get(name) ?? nowMs
      this.#missingSinceMs.set(name, sinceMs)
      if (nowMs - sinceMs < quarantineMs || (await this.#exists(name))) continue
      for (const pod of all) {
        if (pod.spec?.nodeName !== name) continue
        await this.#remove(pod, 'orphaned', (orphan) =>
          markDisrupted(
            client,
            orphan,
            { reason: 'DeletionByPodGC', message: 'PodGC: node no longer exists' },
            { nowMs, failed: true },
          ),
        )
      }
    }
  }

  async #exists(name: string): Promise<boolean> {
    try {
      await this.#context.client.get(nodes, { name })
      return true
    } catch (error) {
      if (isNotFound(error)) return false
      throw error
    }
  }

  /** Deletes the pod at once; one that has not ended is marked first, as failed at the least. */
  async #remove(
    pod: FrozenPod,
    reason: string,
    mark: (pod: FrozenPod) => Promise<void> = (other) => markFailed(this.#context.client, other),
  ): Promise<void> {
    const { client, metrics, log } = this.#context
    const labels = { namespace: namespaceOf(pod), reason }
    try {
      if (!isTerminal(pod)) await mark(pod)
      await deletePod(client, pod, 0)
      metrics
        .counter(
          'pod_gc_collector_force_delete_pods_total',
          'Number of pods that are being forcefully deleted since the Pod GC Controller started.',
        )
        .add(labels)
    } catch (error) {
      log.info(
        { err: error, pod: nameOf(pod), namespace: namespaceOf(pod) },
        'a pod could not be removed; it is tried again',
      )
      metrics
        .counter(
          'pod_gc_collector_force_delete_pod_errors_total',
          'Number of errors encountered when forcefully deleting the pods since the Pod GC Controller started.',
        )
        .add(labels)
    }
  }
}

/** Whoever counts failures must see this pod as failed before it is gone. */
async function markFailed(client: StartContext['client'], pod: FrozenPod): Promise<void> {
  try {
    await client.patch(
      pods,
      { namespace: namespaceOf(pod), name: nameOf(pod) },
      { metadata: { uid: uidOf(pod) }, status: { phase: 'Failed' } },
      { type: 'strategic', subresource: 'status' },
    )
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
}

/** The ended pods beyond the number that is kept: evicted ones first, then the oldest. */
export function surplusOf(all: readonly FrozenPod[], kept: number): FrozenPod[] {
  if (kept <= 0) return []
  const ended = all.filter(isTerminal)
  const evicted = (pod: FrozenPod) => Number(pod.status?.phase === 'Failed' && pod.status.reason === 'Evicted')
  const createdMs = (pod: FrozenPod) => (pod.metadata.creationTimestamp ? msOf(pod.metadata.creationTimestamp) : 0)
  return ended
    .sort((a, b) => evicted(b) - evicted(a) || createdMs(a) - createdMs(b) || (nameOf(a) < nameOf(b) ? -1 : 1))
    .slice(0, Math.max(0, ended.length - kept))
}
