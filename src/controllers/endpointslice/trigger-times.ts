import type { Pod, Service } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { nameOf } from '../../client/object.ts'

/** When what changed the endpoints happened: how long it takes until the proxies know is measured from here. */
export const triggerTimeAnnotation = 'endpoints.kubernetes.io/last-change-trigger-time'

/** Remembers when Services and their pods changed last, to say when a change of endpoints was caused. */
export class TriggerTimes {
  readonly #services = new Map<string, { service: string; pods: Map<string, string> }>()

  /** The earliest change since the last call that is visible in the Service's or its pods' times. */
  next(key: string, service: Frozen<Service>, selected: readonly Frozen<Pod>[]): string | undefined {
    const known = this.#services.get(key)
    const times = new Map(
      selected.flatMap((pod) => (readyTimeOf(pod) ? [[nameOf(pod), readyTimeOf(pod)] as const] : [])),
    )
    const created = service.metadata.creationTimestamp ?? ''
    this.#services.set(key, { service: created, pods: times })
    const changed = [...times].filter(([name, time]) => time > (known?.pods.get(name) ?? '')).map(([, time]) => time)
    if (!known || known.service !== created) changed.push(created)
    return changed.filter((time) => time !== '').sort()[0]
  }

  forget(key: string): void {
    this.#services.delete(key)
  }
}

const readyTimeOf = (pod: Frozen<Pod>): string =>
  pod.status?.conditions?.find(({ type }) => type === 'Ready')?.lastTransitionTime ?? ''
