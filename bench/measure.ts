import { readFileSync } from 'node:fs'
import { createServer } from 'node:net'
import { realClock } from '../src/base/clock.ts'
import type { Deps } from '../src/base/deps.ts'
import { silentLogger } from '../src/base/log.ts'
import { Metrics } from '../src/base/metrics.ts'
import { realRandom } from '../src/base/random.ts'

/** One line of the table. */
export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  /** The goal in words, and whether the value meets it; absent where there is none. */
  readonly target?: { readonly text: string; readonly met: boolean }
}

/** What benchmarks run on: the machine's clock, no log. */
export const benchDeps = (): Deps => ({
  clock: realClock,
  random: realRandom,
  log: silentLogger,
  metrics: new Metrics(),
})

/** A figure that must not exceed its target. */
export const atMost = (name: string, value: number, unit: string, target: number): Figure => ({
  name,
  value,
  unit,
  target: { text: `≤ ${target} ${unit}`, met: value <= target },
})

/** A figure without a target. */
export const figure = (name: string, value: number, unit: string): Figure => ({ name, value, unit })

/** Milliseconds that a piece of work takes. */
export async function timed(work: () => unknown): Promise<number> {
  const start = performance.now()
  await work()
  return performance.now() - start
}

/** Milliseconds of CPU (user and system, all threads) that a piece of work takes. */
export async function cpuTimed(work: () => unknown): Promise<number> {
  const start = process.cpuUsage()
  await work()
  const { user, system } = process.cpuUsage(start)
  return (user + system) / 1000
}

/** The median of several runs. */
export async function median(runs: number, measure: () => Promise<number>): Promise<number> {
  const values: number[] = []
  for (let run = 0; run < runs; run++) values.push(await measure())
  return medianOf(values)
}

/** The median of values. */
export const medianOf = (values: readonly number[]): number => values.toSorted((a, b) => a - b)[values.length >> 1]!

/** A field of a /proc file in its unit; 0 when there is none. */
export function procField(path: string, field: string): number {
  try {
    return Number(new RegExp(`^${field}:\\s+(\\d+)`, 'm').exec(readFileSync(path, 'utf8'))?.[1] ?? 0)
  } catch {
    return 0
  }
}

/** A port of the loopback that is free now. */
export async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const address = server.address()
  await new Promise((resolve) => server.close(resolve))
  return typeof address === 'object' && address ? address.port : 6443
}
