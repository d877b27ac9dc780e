import type { Deps } from '../../base/deps.ts'
import type { EventRecorder } from '../../client/events/recorder.ts'
import type { Image } from '../../runtime/cri/generated/cri.ts'
import type { ContainerRuntime } from '../../runtime/runtime.ts'
import type { KubeletSettings } from '../config.ts'
import type { Machine } from '../host/host.ts'

/** What images are collected with. */
export interface ImageGcOptions extends Deps {
  readonly runtime: ContainerRuntime
  readonly machine: Machine
  readonly settings: KubeletSettings
  readonly events: EventRecorder
  readonly nodeName: string
}

interface Seen {
  readonly firstMs: number
  lastUsedMs: number
}

/** Removes images that no container uses when the disk fills, the longest unused first. */
export class ImageGc {
  readonly #options: ImageGcOptions
  readonly #seen = new Map<string, Seen>()

  constructor(options: ImageGcOptions) {
    this.#options = options
  }

  /** Looks at the disk, and frees what the configuration asks for. */
  async collect(): Promise<void> {
    const { machine, settings, events, nodeName } = this.#options
    const unused = await this.#unused()
    await this.#removeOld(unused)
    const { imagefs, nodefs } = await machine.usage()
    const disk = imagefs ?? nodefs
    if (!disk || disk.capacityBytes === 0) return
    const usedPercent = 100 - Math.floor((disk.availableBytes * 100) / disk.capacityBytes)
    if (usedPercent < settings.imageGcHighPercent) return
    const toFree = (disk.capacityBytes * (100 - settings.imageGcLowPercent)) / 100 - disk.availableBytes
    const freed = await this.free(toFree)
    if (freed < toFree) {
      const message = `Failed to garbage collect required amount of images. Attempted to free ${Math.ceil(toFree)} bytes, but only found ${freed} bytes eligible to free.`
      events.event(
        { reference: { kind: 'Node', name: nodeName, uid: nodeName, apiVersion: 'v1' } },
        'Warning',
        'FreeDiskSpaceFailed',
        message,
      )
    }
  }

  /** Removes unused images until so many bytes are free; returns how many were. */
  async free(bytes: number): Promise<number> {
    const { clock, settings } = this.#options
    let freed = 0
    for (const { image, seen } of await this.#unused()) {
      if (freed >= bytes) break
      if (clock.now() - seen.firstMs < settings.imageMinimumGcAgeMs) continue
      if (await this.#remove(image)) freed += image.size
    }
    return freed
  }

  async #removeOld(unused: readonly { readonly image: Image; readonly seen: Seen }[]): Promise<void> {
    const { clock, settings } = this.#options
    if (settings.imageMaximumGcAgeMs === 0) return
    for (const { image, seen } of unused)
      if (clock.now() - seen.lastUsedMs > settings.imageMaximumGcAgeMs) await this.#remove(image)
  }

  async #remove(image: Image): Promise<boolean> {
    try {
      await this.#options.runtime.removeImage({ image: image.id })
      this.#seen.delete(image.id)
      return true
    } catch (error) {
      this.#options.log.warn({ err: error, image: image.id }, 'an unused image could not be removed')
      return false
    }
  }

  /** Images without a container, the longest unused first. Pinned ones, such as the sandboxes', are the runtime's. */
  async #unused() {
    const { runtime, clock } = this.#options
    const [images, containers] = await Promise.all([runtime.listImages(), runtime.listContainers()])
    const used = new Set(containers.flatMap(({ image, imageRef, imageId }) => [image?.image ?? '', imageRef, imageId]))
    const nowMs = clock.now()
    const found: { readonly image: Image; readonly seen: Seen }[] = []
    for (const image of images) {
      let seen = this.#seen.get(image.id)
      if (!seen) this.#seen.set(image.id, (seen = { firstMs: nowMs, lastUsedMs: nowMs }))
      const inUse =
        used.has(image.id) ||
        image.repoTags.some((name) => used.has(name)) ||
        image.repoDigests.some((name) => used.has(name))
      if (inUse) seen.lastUsedMs = nowMs
      else if (!image.pinned && !image.repoTags.some((name) => /(^|\/)pause:/.test(name))) found.push({ image, seen })
    }
    for (const id of this.#seen.keys()) if (!images.some((image) => image.id === id)) this.#seen.delete(id)
    return found.sort((a, b) => a.seen.lastUsedMs - b.seen.lastUsedMs || a.seen.firstMs - b.seen.firstMs)
  }
}
