import { getHeapStatistics } from 'node:v8'
import type { Deps } from '../../base/deps.ts'

/** A process as this sees it; a test has its own. */
export interface ProcessMemory {
  /** CPU time that it has used so far. */
  cpuMs(): number
  heap(): { readonly usedBytes: number; readonly reservedBytes: number }
  /** Collects everything and gives back what is free. */
  collect(): Promise<void>
}

/** How often the process is looked at. */
const lookMs = 10_000
/** Less than this in that time is idle. */
const idleCpuMs = 500
/** So many looks in a row: a pause between two bursts is none. */
const idleLooks = 2
/** Memory that is worth a collection. */
const worthBytes = 6 * 2 ** 20
/** A collection stops everything for about a millisecond a megabyte, and must not be felt by whoever asks just then. */
const heapBytesMax = 128 * 2 ** 20

/**
 * Gives memory back when there is nothing to do. V8 collects when memory is asked for; an idle process asks for none, and would keep what its start or a
 * burst has left behind for hours: 20 MB after a start.
 */
export function returnIdleMemory(
  { clock, log }: Pick<Deps, 'clock' | 'log'>,
  memory: ProcessMemory,
): { close(): void } {
  let cpuMs = memory.cpuMs()
  let idle = 0
  let keptBytes = 0
  let cancel = () => {}
  const look = async () => {
    const usedMs = memory.cpuMs() - cpuMs
    cpuMs += usedMs
    idle = usedMs < idleCpuMs ? idle + 1 : 0
    const { usedBytes, reservedBytes } = memory.heap()
    if (idle < idleLooks || usedBytes > heapBytesMax || reservedBytes < keptBytes + worthBytes) return
    await memory.collect()
    keptBytes = memory.heap().reservedBytes
  }
  const next = () => {
    cancel = clock.after(lookMs, () => {
      next()
      look().catch((error: unknown) => log.debug({ err: error }, 'memory could not be given back'))
    })
  }
  next()
  return { close: () => cancel() }
}

/** This process; undefined when it was started without --expose-gc. */
export function ownMemory(): ProcessMemory | undefined {
  const { gc } = globalThis
  return (
    gc && {
      cpuMs: () => {
        const { user, system } = process.cpuUsage()
        return (user + system) / 1000
      },
      heap: () => {
        const { used_heap_size: usedBytes, total_heap_size: reservedBytes } = getHeapStatistics()
        return { usedBytes, reservedBytes }
      },
      collect: () => gc({ type: 'major', flavor: 'last-resort', execution: 'async' }),
    }
  )
}
