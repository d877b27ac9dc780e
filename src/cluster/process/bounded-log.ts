import { copyFileSync, fstatSync, ftruncateSync, statSync } from 'node:fs'
import type { Deps } from '../../base/deps.ts'

/** A log that is larger becomes the old one: two of these are the most that a process leaves on the disk. */
const logBytesMax = 32 * 1024 * 1024
const lookEveryMs = 60_000

/** What this process appends to, and the file it is. */
export interface OwnLog {
  readonly descriptor: number
  readonly path: string
}

/** Keeps a log that only this process appends to from growing for ever; one that leads elsewhere, as in a terminal, is left alone. */
export function boundLog({ clock, log }: Pick<Deps, 'clock' | 'log'>, own: OwnLog): { close(): void } {
  const look = () => {
    try {
      if (isTooLarge(own)) turnOver(own)
    } catch (error) {
      log.warn({ error: String(error) }, 'the log could not be turned over')
    }
    cancel = clock.after(lookEveryMs, look)
  }
  let cancel = clock.after(lookEveryMs, look)
  return { close: () => cancel() }
}

function isTooLarge({ descriptor, path }: OwnLog): boolean {
  const { size, ino } = fstatSync(descriptor)
  return size > logBytesMax && statSync(path, { throwIfNoEntry: false })?.ino === ino
}

/** The descriptor stays, since children have it too; whoever appends goes on at the new beginning. */
function turnOver({ descriptor, path }: OwnLog): void {
  copyFileSync(path, `${path}.old`)
  ftruncateSync(descriptor)
}
