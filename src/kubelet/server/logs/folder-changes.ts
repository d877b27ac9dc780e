import { watch, type FSWatcher } from 'node:fs'
import { dirname } from 'node:path'
import type { Clock } from '../../../base/clock.ts'

/** Tells when something in a file's folder changes. */
export class FolderChanges implements Disposable {
  readonly #clock: Clock
  readonly #watcher: FSWatcher | undefined
  #changed = false
  #wake: () => void = () => {}

  constructor(path: string, clock: Clock) {
    this.#clock = clock
    this.#watcher = watchFolder(dirname(path), () => {
      this.#changed = true
      this.#wake()
    })
  }

  /** True at the next change, or at once when there was one since; false after `timeoutMs` or when the signal aborts. */
  async next(timeoutMs: number, signal: AbortSignal): Promise<boolean> {
    if (!this.#changed && !signal.aborted) {
      await new Promise<void>((resolve) => {
        const done = () => {
          cancel()
          signal.removeEventListener('abort', done)
          resolve()
        }
        const cancel = this.#clock.after(timeoutMs, done)
        signal.addEventListener('abort', done, { once: true })
        this.#wake = done
      })
    }
    const changed = this.#changed
    this.#changed = false
    return changed
  }

  [Symbol.dispose](): void {
    this.#watcher?.close()
  }
}

function watchFolder(folder: string, changed: () => void): FSWatcher | undefined {
  try {
    const watcher = watch(folder, { persistent: false }, changed)
    watcher.on('error', () => {})
    return watcher
  } catch {
    // No watches left, or no such folder: what is new is found by looking.
    return undefined
  }
}
