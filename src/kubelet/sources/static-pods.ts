import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isAlreadyExists, isNotFound } from '../../api/errors/api-error.ts'
import { pods } from '../../api/generated/resources.ts'
import type { Pod } from '../../api/generated/types/core-v1.ts'
import { keyOf, keyText, type Frozen } from '../../api/resource.ts'
import type { Deps } from '../../base/deps.ts'
import type { Client } from '../../client/client.ts'
import { isMirrorPod, isStaticPod } from '../pod/containers.ts'
import type { PodSource } from './pod-source.ts'
import { staticPodFrom } from './static-pod.ts'

interface Options extends Deps {
  readonly client: Client
  readonly nodeName: string
  readonly nodeUid: () => string | undefined
  /** Undefined: there are none. */
  readonly folder: string | undefined
  readonly source: PodSource
  readonly changed: (pod: Frozen<Pod>) => void
  readonly removed: (pod: Frozen<Pod>) => void
  /** The pod has a mirror that may not have its status yet. */
  readonly mirrored: (pod: Frozen<Pod>) => void
}

/** Pods from files on the node. Each has a mirror in the API, so that users see it. */
export class StaticPods {
  readonly #options: Options
  /** By file: what it says, as a hash, and the pod. */
  readonly #files = new Map<string, { readonly digest: string; readonly pod: Frozen<Pod> | undefined }>()
  #closed = false

  constructor(options: Options) {
    this.#options = options
  }

  all(): Frozen<Pod>[] {
    return [...this.#files.values()].map(({ pod }) => pod).filter((pod) => pod !== undefined)
  }

  /** The API's object for a pod: itself, or the mirror of a static one. */
  apiPodOf(pod: Frozen<Pod>): Frozen<Pod> | undefined {
    const found = this.#options.source.get(keyOf(pod))
    if (!found) return undefined
    if (isStaticPod(pod)) return isMirrorPod(found) ? found : undefined
    return found.metadata.uid === pod.metadata.uid ? found : undefined
  }

  close(): void {
    this.#closed = true
  }

  /** Reads the folder, and tells what is new, changed or gone. */
  async read(): Promise<void> {
    const { folder, log } = this.#options
    if (!folder) return
    const names = (await readdir(folder).catch(() => [])).filter((name) => !name.startsWith('.')) // No folder yet: no pods.
    for (const name of names) {
      const path = join(folder, name)
      try {
        await this.#readFile(path)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'EISDIR') continue
        log.warn({ err: error, path }, 'a static pod cannot be read')
      }
    }
    for (const [path, { pod }] of this.#files) {
      if (names.some((name) => join(folder, name) === path)) continue
      this.#files.delete(path)
      if (!pod) continue
      this.#options.removed(pod)
      const mirror = this.#options.source.get(keyOf(pod))
      if (mirror && isMirrorPod(mirror)) await this.#remove(mirror)
    }
  }

  async #readFile(path: string): Promise<void> {
    const text = await readFile(path, 'utf8')
    const digest = createHash('md5').update(text).digest('hex')
    const known = this.#files.get(path)
    if (known?.digest === digest || this.#closed) return
    const pod = await staticPodFrom(text, { path, nodeName: this.#options.nodeName, nowMs: this.#options.clock.now() })
    this.#files.set(path, { digest, pod })
    // A changed file is another pod, with another UID: the old one ends first.
    if (known?.pod && known.pod.metadata.uid !== pod.metadata.uid) this.#options.removed(known.pod)
    this.#options.changed(pod)
  }

  /** Brings the mirrors to the files: makes what is missing, removes what is of another pod or of none. */
  async mirror(): Promise<void> {
    if (this.#options.nodeUid() === undefined) return
    for (const pod of this.all())
      await this.#mirrorOne(pod).catch((error: unknown) =>
        this.#options.log.warn(
          { err: error, pod: pod.metadata.name },
          'a mirror pod could not be made; it is tried again',
        ),
      )
  }

  /** A mirror is there: its static pod's status belongs on it. One whose static pod is gone goes too. */
  async mirrored(mirror: Frozen<Pod>): Promise<void> {
    const pod = this.all().find((one) => keyText(keyOf(one)) === keyText(keyOf(mirror)))
    if (pod) this.#options.mirrored(pod)
    else await this.#remove(mirror)
  }

  async #mirrorOne(pod: Frozen<Pod>): Promise<void> {
    const { source, client, nodeName } = this.#options
    const hash = pod.metadata.annotations?.['kubernetes.io/config.hash'] ?? ''
    const found = source.get(keyOf(pod))
    if (
      found &&
      isMirrorPod(found) &&
      found.metadata.annotations?.['kubernetes.io/config.mirror'] === hash &&
      !found.metadata.deletionTimestamp
    )
      return
    if (found) {
      await this.#remove(found)
      return // Made anew when the source says that it is gone.
    }
    const uid = this.#options.nodeUid() ?? ''
    const { uid: _own, ...metadata } = pod.metadata
    const mirror: Frozen<Pod> = {
      ...pod,
      metadata: {
        ...metadata,
        annotations: { ...pod.metadata.annotations, 'kubernetes.io/config.mirror': hash },
        ownerReferences: [{ apiVersion: 'v1', kind: 'Node', name: nodeName, uid, controller: true }],
      },
    }
    await client.create(pods, mirror).catch((error: unknown) => {
      if (!isAlreadyExists(error)) throw error
    })
  }

  async #remove(mirror: Frozen<Pod>): Promise<void> {
    await this.#options.client
      .delete(pods, keyOf(mirror), { gracePeriodSeconds: 0, uid: mirror.metadata.uid ?? '' })
      .catch((error: unknown) => {
        if (!isNotFound(error)) throw error
      })
  }
}
