import { spawn } from 'node:child_process'
import { openSync, closeSync, readFileSync, rmSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import { ensureFolder, readFileIfThere, writeFileAtomic } from '../files.ts'

// A process that outlives whoever started it is known by a file with its id and start time (ids are used again; a start time is not).

function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? undefined : fields[19]
  } catch {
    // No /proc entry: no process, or not Linux.
    return process.platform === 'linux' || !isThere(pid) ? undefined : ''
  }
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** The running process that a file names, or undefined. */
export function runningProcess(file: string): number | undefined {
  const text = readFileIfThere(file)
  if (!text) return undefined
  const [pid, started] = text.trim().split(' ')
  return Number(pid) > 0 && startOf(Number(pid)) === (started ?? '') ? Number(pid) : undefined
}

/** Writes the file for a process that runs. */
export function writeProcessFile(file: string, pid: number): void {
  writeFileAtomic(file, `${pid} ${startOf(pid) ?? ''}\n`, 0o644)
}

/** How to start a process that goes on by itself. */
export interface DetachedProcess {
  readonly command: string
  readonly args: readonly string[]
  readonly file: string
  readonly log: string
  readonly env?: NodeJS.ProcessEnv
}

/** Starts a process in a session of its own, its output appended to a log; returns its id. */
export function startDetached({ command, args, file, log, env }: DetachedProcess): {
  pid: number
  exited: Promise<number>
} {
  ensureFolder(dirname(log))
  const output = openSync(log, 'a', 0o640)
  try {
    const child = spawn(command, args, {
      detached: true,
      stdio: ['ignore', output, output],
      env: env ?? process.env,
      cwd: '/',
    })
    const exited = new Promise<number>((resolve) => {
      child.on('exit', (code) => resolve(code ?? 128))
      child.on('error', () => resolve(127))
    })
    child.unref()
    if (child.pid !== undefined) writeProcessFile(file, child.pid)
    return { pid: child.pid ?? -1, exited }
  } finally {
    closeSync(output)
  }
}

/** A process that shall go on for as long as somebody wants it to. */
export interface KeptProcess {
  /** The process id file by which it is known. */
  readonly file: string
  /** Starts it; the file is written by then. */
  readonly start: () => void
  /** Told when it could not be started; that is tried again. */
  readonly failed: (error: unknown) => void
}

/** A process that has ended is missed after this long at most. */
const watchEveryMs = 1000

/** Starts each process that does not run, now and whenever it has ended. They go on when the watching is cancelled. */
export function keepRunning(processes: readonly KeptProcess[], clock: Clock): () => void {
  let cancel = () => {}
  const watch = () => {
    for (const { file, start, failed } of processes) {
      if (runningProcess(file) !== undefined) continue
      try {
        start()
      } catch (error) {
        failed(error)
      }
    }
    cancel = clock.after(watchEveryMs, watch)
  }
  watch()
  return () => cancel()
}

const pollMs = 20

/** Ends the process that a file names: SIGTERM, and SIGKILL after `graceMs`. Removes the file. */
export async function endProcess(file: string, clock: Clock, graceMs: number): Promise<void> {
  const pid = runningProcess(file)
  if (pid !== undefined) {
    signal(pid, 'SIGTERM')
    for (let waited = 0; waited < graceMs && runningProcess(file) !== undefined; waited += pollMs)
      await clock.sleep(pollMs)
    if (runningProcess(file) !== undefined) signal(pid, 'SIGKILL')
    while (runningProcess(file) !== undefined) await clock.sleep(pollMs)
  }
  rmSync(file, { force: true })
}

function signal(pid: number, name: 'SIGTERM' | 'SIGKILL'): void {
  try {
    process.kill(pid, name)
  } catch {
    // It ended in the meantime.
  }
}
