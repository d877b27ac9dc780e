import { createReadStream, createWriteStream } from 'node:fs'
import { readdir, rename, rm, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { pipeline } from 'node:stream/promises'
import { createGzip } from 'node:zlib'
import type { Deps } from '../../base/deps.ts'
import type { ContainerRuntime } from '../../runtime/runtime.ts'
import type { ContainerState, PodState } from '../runtime-state/pod-state.ts'

/** How logs are kept. */
export interface LogRotationOptions extends Deps {
  readonly runtime: ContainerRuntime
  readonly maxBytes: number
  readonly maxFiles: number
}

/** Moves away logs that have grown too large: `0.log` becomes `0.log.20260131-090559`, older ones are compressed, the oldest go. */
export async function rotateLogs(pods: readonly PodState[], options: LogRotationOptions): Promise<void> {
  for (const { containers } of pods) {
    for (const container of containers) {
      if (container.phase !== 'running' || !container.logPath) continue
      await rotateOne(container, options).catch((error: unknown) =>
        options.log.warn({ err: error, path: container.logPath }, 'a container log could not be rotated'),
      )
    }
  }
}

async function rotateOne(container: ContainerState, options: LogRotationOptions): Promise<void> {
  const info = await stat(container.logPath).catch(() => undefined) // Not written yet.
  if (!info) {
    // Moved away, and the runtime never told: it goes on writing to the moved file.
    await options.runtime.reopenContainerLog(container.id)
    return
  }
  if (info.size < options.maxBytes) return
  await compressAndTrim(container.logPath, options)
  const moved = `${container.logPath}.${stamp(options.clock.now())}`
  await rename(container.logPath, moved)
  try {
    await options.runtime.reopenContainerLog(container.id)
  } catch (error) {
    await rename(moved, container.logPath) // The runtime still writes to it.
    throw error
  }
}

/** 20260131-090559 */
const stamp = (ms: number) => new Date(ms).toISOString().slice(0, 19).replace(/[-:]/g, '').replace('T', '-')

/** Leaves room for the log in use and the one that is moved now. */
async function compressAndTrim(path: string, { maxFiles }: LogRotationOptions): Promise<void> {
  const folder = dirname(path)
  const prefix = `${basename(path)}.`
  const found = (await readdir(folder)).filter((name) => name.startsWith(prefix)).sort()
  // What a kubelet that was killed had half compressed, and what it had not yet removed after that.
  const left = found.filter((name) => name.endsWith('.tmp') || found.includes(`${name}.gz`))
  for (const name of left) await rm(join(folder, name))
  const rotated = found.filter((name) => !left.includes(name))
  const keep = Math.max(0, maxFiles - 2)
  for (const name of rotated.slice(0, Math.max(0, rotated.length - keep))) await rm(join(folder, name))
  for (const name of rotated.slice(Math.max(0, rotated.length - keep))) {
    if (name.endsWith('.gz')) continue
    const file = join(folder, name)
    await pipeline(createReadStream(file), createGzip(), createWriteStream(`${file}.tmp`))
    await rename(`${file}.tmp`, `${file}.gz`)
    await rm(file)
  }
}
