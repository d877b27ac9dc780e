import { realClock } from '../base/clock.ts'
import type { Deps } from '../base/deps.ts'
import { silentLogger } from '../base/log.ts'
import { Metrics } from '../base/metrics.ts'
import { realRandom } from '../base/random.ts'

/** What a command's own work is given; commands talk through `Output`, not the log. */
export const commandDeps = (): Deps => ({
  clock: realClock,
  random: realRandom,
  log: silentLogger,
  metrics: new Metrics(),
})
