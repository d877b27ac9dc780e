import { pods } from '../../api/generated/resources.ts'
import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen, ObjectKey } from '../../api/resource.ts'
import type { Informers } from '../../client/informer/informers.ts'

/** Hears of a node's pods. */
export interface PodHandler {
  changed(pod: Frozen<Pod>): void
  removed(pod: Frozen<Pod>): void
}

/** The API server's pods of one node. */
export interface PodSource {
  /** Everything that was there at the start has been told. */
  readonly synced: Promise<void>
  get(key: ObjectKey): Frozen<Pod> | undefined
  on(handler: PodHandler): () => void
}

/** The pods of a node by a watch of their own: what a kubelet in its own process has. */
export function watchedPods(informers: Informers, nodeName: string): PodSource {
  const informer = informers.of(pods, { fieldSelector: `spec.nodeName=${nodeName}` })
  return {
    synced: informer.synced,
    get: (key) => informer.get(key),
    on: (handler) => informer.on({ added: handler.changed, updated: handler.changed, deleted: handler.removed }),
  }
}

/** The pods of many nodes by one watch of all pods: what simulated nodes of one process share. */
export class PodsByNode {
  readonly #informer
  readonly #handlers = new Map<string, PodHandler>()

  constructor(informers: Informers) {
    this.#informer = informers.of(pods)
    this.#informer.index('nodeName', (pod) => (pod.spec?.nodeName ? [pod.spec.nodeName] : []))
    const changed = (pod: Frozen<Pod>) => this.#handlers.get(pod.spec?.nodeName ?? '')?.changed(pod)
    this.#informer.on({
      added: changed,
      updated: changed,
      deleted: (pod) => this.#handlers.get(pod.spec?.nodeName ?? '')?.removed(pod),
    })
  }

  /** The source for one node. */
  of(nodeName: string): PodSource {
    return {
      synced: this.#informer.synced,
      get: (key) => this.#informer.get(key),
      on: (handler) => {
        for (const pod of this.#informer.by('nodeName', nodeName)) handler.changed(pod)
        this.#handlers.set(nodeName, handler)
        return () => this.#handlers.delete(nodeName)
      },
    }
  }
}
