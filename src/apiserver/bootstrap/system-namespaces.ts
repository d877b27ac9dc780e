import type { Kind } from '../../api/kind.ts'
import facts from '../generated/bootstrap-objects.json' with { type: 'json' }
import type { Core } from '../verbs/core.ts'
import { ensureObject } from './ensure-object.ts'

/** How often the namespaces are looked for, as upstream's controller does. */
const intervalMs = 60_000

/** Makes the namespaces that every cluster has again when somebody deleted them: kube-node-lease can be. Returns how to stop. */
export function keepSystemNamespaces(core: Core, namespaces: Kind): () => void {
  let stopped = false
  let cancel = (): void => {}
  const schedule = () => {
    if (stopped) return
    cancel = core.clock.after(intervalMs, () => {
      Promise.all(facts.namespaces.map((object) => ensureObject(core, namespaces, object)))
        .catch((error: unknown) => core.log.warn({ err: error }, 'a system namespace could not be made; the next round tries again'))
        .finally(schedule)
    })
  }
  schedule()
  return () => {
    stopped = true
    cancel()
  }
}
