import type { Deps } from '../base/deps.ts'
import { realClock } from '../base/clock.ts'
import { Metrics } from '../base/metrics.ts'
import { addProcessMetrics } from '../base/process-metrics.ts'
import { realRandom } from '../base/random.ts'

/** Lines that wait while the log's disk is full; further ones are dropped. */
const waitingLinesMaxBytes = 1024 * 1024

/** What a component that runs as a process of its own is given: the machine's clock and randomness, a log on standard error. */
export async function componentDeps(component: string | undefined, verbosity: number): Promise<Deps> {
  const { default: pino } = await import('pino')
  const output = pino.destination({ fd: 2, sync: true, maxLength: waitingLinesMaxBytes })
  // A log that cannot be written is no reason to end: what waits is tried again with the next line. Libraries write there, too.
  for (const stream of [output, process.stderr]) stream.on('error', () => {})
  const level = verbosity >= 4 ? 'debug' : 'info'
  const log = pino(
    {
      level,
      base: component === undefined ? {} : { component },
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    output,
  )
  const metrics = new Metrics()
  addProcessMetrics(metrics)
  return { clock: realClock, random: realRandom, log, metrics }
}

/** Runs until a signal asks for the end, then closes; a second signal ends at once. */
export async function runUntilSignal(deps: Deps, close: () => Promise<void>): Promise<void> {
  // A sleep keeps the process alive; timers of components and idle sockets do not.
  const ended = new AbortController()
  void deps.clock.sleep(Infinity, ended.signal).catch(() => {}) // Aborted at the end.
  const signal = await new Promise<string>((resolve) => {
    for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => resolve(name))
  })
  deps.log.info({ signal }, 'ending')
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => process.exit(130))
  await close()
  ended.abort()
}
