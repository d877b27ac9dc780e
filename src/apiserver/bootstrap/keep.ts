import type { Kind } from '../../api/kind.ts'
import facts from '../generated/bootstrap-objects.json' with { type: 'json' }
import type { Core } from '../verbs/core.ts'
import type { Bootstrapping } from './bootstrap.ts'
import { ensureObject } from './ensure-object.ts'
import { ensureKubernetesService } from './kubernetes-service.ts'
import { ensureTokenTracking } from './token-tracking.ts'

/** How often the system namespaces, and what lies in them, are looked for, as upstream's controller does. */
const namespacesMs = 60_000
/** How often the `kubernetes` Service and its endpoints are: upstream's endpoint reconciler. */
const serviceMs = 10_000

/** Makes again what somebody deleted and no cluster can be without: the system namespaces, the `kubernetes` Service. Returns how to stop. */
export function keepWhatIsNeeded(parts: Bootstrapping): () => void {
  const { core, kinds } = parts
  const namespaces: Kind = kinds.byResource('', 'v1', 'namespaces')!
  const stops = [
    every(core, namespacesMs, () =>
      Promise.all(facts.namespaces.map((object) => ensureObject(core, namespaces, object))),
    ),
    every(core, namespacesMs, () => ensureTokenTracking(parts)),
    every(core, serviceMs, () => ensureKubernetesService(parts)),
  ]
  return () => stops.forEach((stop) => stop())
}

/** Repeats work that only waits for its own end; a failure is left to the next round. */
function every(core: Core, intervalMs: number, work: () => Promise<unknown>): () => void {
  let stopped = false
  let cancel = (): void => {}
  const schedule = () => {
    if (stopped) return
    cancel = core.clock.after(intervalMs, () => {
      work()
        .catch((error: unknown) =>
          core.log.warn(
            { err: error },
            'an object that every cluster has could not be made; the next round tries again',
          ),
        )
        .finally(schedule)
    })
  }
  schedule()
  return () => {
    stopped = true
    cancel()
  }
}
