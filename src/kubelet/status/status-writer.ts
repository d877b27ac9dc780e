import { isConflict, isNotFound } from '../../api/errors/api-error.ts'
import { pods } from '../../api/generated/resources.ts'
import type { Pod, PodStatus } from '../../api/generated/types/core-v1.ts'
import type { Frozen, ObjectKey } from '../../api/resource.ts'
import type { Deps } from '../../base/deps.ts'
import type { Client } from '../../client/client.ts'
import { keyOf } from '../../api/resource.ts'
import { versionNumber } from '../../client/object.ts'
import { isMirrorPod, isStaticPod } from '../pod/containers.ts'
import { same, statusPatch } from './status-patch.ts'

interface Entry {
  readonly pod: Frozen<Pod>
  readonly status: Frozen<PodStatus>
  /** Nothing of the pod is left on the node: the API may forget it. */
  readonly finished: boolean
}

interface Options {
  readonly deps: Deps
  readonly client: Client
  /** The pod as the API server last told of it, with the mirror of a static pod in its place. */
  readonly current: (pod: Frozen<Pod>) => Frozen<Pod> | undefined
}

/** A write that fails is tried again after this long. */
const retryMs = 10_000

/** Brings the pods' statuses to the API server, and asks it to forget pods that are deleted and gone. One write at a time for each pod. */
export class StatusWriter {
  readonly #options: Options
  readonly #entries = new Map<string, Entry>()
  readonly #writing = new Set<string>()
  /** What the API answered to the last write: the source may tell of it later. */
  readonly #answers = new Map<string, Frozen<Pod>>()
  readonly #again = new Set<string>()
  #closed = false

  constructor(options: Options) {
    this.#options = options
  }

  /** The last status that was set here. */
  get(uid: string): Frozen<PodStatus> | undefined {
    return this.#entries.get(uid)?.status
  }

  /** Sets what the API server shall have; nothing is written when it has that already. */
  set(pod: Frozen<Pod>, status: Frozen<PodStatus>): void {
    const uid = pod.metadata.uid ?? ''
    const known = this.#entries.get(uid)
    this.#entries.set(uid, { pod, status, finished: known?.finished ?? false })
    if (!known || !same(known.status, status)) this.#write(uid)
  }

  /** Nothing of the pod is left: when it is deleted, it goes. */
  finish(pod: Frozen<Pod>): void {
    const uid = pod.metadata.uid ?? ''
    const known = this.#entries.get(uid)
    this.#entries.set(uid, { pod, status: known?.status ?? pod.status ?? {}, finished: true })
    this.#write(uid)
  }

  /** Compares every status with what the API has, and writes where they differ. */
  checkAll(): void {
    for (const uid of this.#entries.keys()) this.#write(uid)
  }

  /** Compares one. */
  check(uid: string): void {
    if (this.#entries.has(uid)) this.#write(uid)
  }

  /** The pod is gone from the API. */
  forget(uid: string): void {
    this.#entries.delete(uid)
    this.#answers.delete(uid)
  }

  close(): void {
    this.#closed = true
  }

  #write(uid: string): void {
    this.#again.add(uid)
    if (this.#writing.has(uid) || this.#closed) return
    this.#writing.add(uid)
    this.#drain(uid).catch((error: unknown) =>
      this.#options.deps.log.error({ err: error, uid }, 'writing a pod status failed'),
    )
  }

  async #drain(uid: string): Promise<void> {
    try {
      while (this.#again.delete(uid) && !this.#closed) {
        const entry = this.#entries.get(uid)
        if (!entry) return
        try {
          await this.#bring(entry)
        } catch (error) {
          if (isNotFound(error) || isConflict(error)) continue // Gone, or another pod of that name: the pod source tells.
          this.#options.deps.log.warn(
            { err: error, pod: entry.pod.metadata.name },
            'a pod status could not be written; it is tried again',
          )
          this.#options.deps.clock.after(retryMs, () => this.check(uid))
        }
      }
    } finally {
      this.#writing.delete(uid)
      if (this.#again.has(uid)) this.#write(uid)
    }
  }

  /** The API's object as far as anybody has told of it. */
  #newest(pod: Frozen<Pod>): Frozen<Pod> | undefined {
    const uid = pod.metadata.uid ?? ''
    const told = this.#options.current(pod)
    const answered = this.#answers.get(uid)
    if (!told || !answered || answered.metadata.uid !== told.metadata.uid) return told
    if (versionNumber(answered.metadata.resourceVersion) > versionNumber(told.metadata.resourceVersion)) return answered
    this.#answers.delete(uid)
    return told
  }

  async #bring(entry: Entry): Promise<void> {
    const { client } = this.#options
    const current = this.#newest(entry.pod)
    if (!current) return
    const key: ObjectKey = keyOf(current)
    const uid = current.metadata.uid ?? ''
    const patch = statusPatch(uid, current.status ?? {}, entry.status)
    if (patch)
      this.#answers.set(
        entry.pod.metadata.uid ?? '',
        await client.patch(pods, key, patch, { type: 'strategic', subresource: 'status' }),
      )
    const static_ = isStaticPod(entry.pod) || isMirrorPod(current)
    // Asked once, it waits for its finalizers only.
    const waits = current.metadata.deletionGracePeriodSeconds === 0 && (current.metadata.finalizers?.length ?? 0) > 0
    if (entry.finished && current.metadata.deletionTimestamp && !static_ && !waits)
      await client.delete(pods, key, { gracePeriodSeconds: 0, uid })
  }
}
