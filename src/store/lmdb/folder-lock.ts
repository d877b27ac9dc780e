import { linkSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The folder is in use by a process that lives. */
export class FolderInUseError extends Error {
  override name = 'FolderInUseError'
}

/**
 * Takes a folder for this process alone; the returned function gives it back. The lock is a file with the process' id and its start time, so that one
 * left behind by a crash, or by a machine that lost power, is seen as stale although the id may have been given out again.
 */
export function lockFolder(folder: string): () => void {
  const path = join(folder, 'owner')
  const mine = owner(process.pid)
  const fresh = `${path}.${process.pid}`
  writeFileSync(fresh, mine, { mode: 0o600 })
  try {
    for (let attempt = 0; attempt < 3; attempt++) {
      if (linked(fresh, path)) return () => rmSync(path, { force: true })
      const holder = contentOf(path)
      if (holder === undefined) continue
      const pid = Number(holder.split(' ')[0])
      if (isAlive(pid) && !isZombie(pid) && holder === owner(pid)) {
        throw new FolderInUseError(
          `${folder} is in use by process ${pid}; stop it first, or give this one another folder`,
        )
      }
      takeAway(path, holder)
    }
    throw new FolderInUseError(`${folder} is being taken by another process at this moment`)
  } finally {
    rmSync(fresh, { force: true })
  }
}

/** Removes a stale lock. By renaming, since in between another process may have done the same and put its own there: then that one goes back. */
function takeAway(path: string, stale: string): void {
  const aside = `${path}.stale.${process.pid}`
  try {
    renameSync(path, aside)
  } catch {
    return // Gone already.
  }
  if (contentOf(aside) !== stale) linked(aside, path)
  rmSync(aside, { force: true })
}

function linked(from: string, to: string): boolean {
  try {
    linkSync(from, to)
    return true
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') return false
    throw error
  }
}

function contentOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return undefined
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** Whether a process has ended and only waits for its parent to take note. */
function isZombie(pid: number): boolean {
  const stat = contentOf(`/proc/${pid}/stat`)
  return stat !== undefined && /^[ZX]/.test(stat.slice(stat.lastIndexOf(')') + 2))
}

/** A process by id and, where /proc tells it, the boot and the tick at which it started. */
function owner(pid: number): string {
  const boot = contentOf('/proc/sys/kernel/random/boot_id')?.trim() ?? ''
  // The command, in parentheses, may hold anything; the start time is the twentieth field after it.
  const stat = contentOf(`/proc/${pid}/stat`)
  const started = stat?.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? ''
  return `${pid} ${boot} ${started}\n`
}
