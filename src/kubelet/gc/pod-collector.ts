import type { Logger } from '../../base/log.ts'
import type { ContainerRuntime } from '../../runtime/runtime.ts'
import type { Host } from '../host/host.ts'
import type { PodVolumes } from '../volumes/pod-volumes.ts'
import { collectPod } from './collect-pod.ts'

/** What is collected with. */
export interface PodCollectorOptions {
  readonly runtime: ContainerRuntime
  readonly host: Host
  readonly volumes: PodVolumes
  readonly log: Logger
  /** A worker looks after the pod: hands off. */
  readonly isKnown: (uid: string) => boolean
}

/** Removes what pods leave behind: containers, volumes, cgroups, folders, logs. */
export class PodCollector {
  readonly #options: PodCollectorOptions
  readonly #collecting = new Map<string, Promise<void>>()

  constructor(options: PodCollectorOptions) {
    this.#options = options
  }

  /** Whether a pod's leftovers are being removed now: what still is there of it is no orphan. */
  isCollecting(uid: string): boolean {
    return this.#collecting.has(uid)
  }

  /** A pod that is gone from the API and from its worker. */
  async collect(uid: string): Promise<void> {
    const running = this.#collecting.get(uid) ?? this.#collect(uid).finally(() => this.#collecting.delete(uid))
    this.#collecting.set(uid, running)
    return running
  }

  async #collect(uid: string): Promise<void> {
    const { runtime, host, volumes } = this.#options
    await collectPod(runtime, uid)
    await volumes.unmount(uid)
    await host.cgroups.removePod(uid)
    await host.files.removePod(uid)
    await host.files.removeLogs((other) => other !== uid)
  }

  /** Looks for leftovers of pods that nobody knows: of a kubelet that was killed in between. */
  async sweep(): Promise<void> {
    const { host, volumes, isKnown, log } = this.#options
    for (const uid of await host.files.podUids()) {
      if (isKnown(uid) || this.isCollecting(uid)) continue
      try {
        await volumes.unmount(uid)
        await host.files.removePod(uid)
      } catch (error) {
        log.warn({ err: error, uid }, 'the folders of a pod that is gone could not be removed; it is tried again')
      }
    }
    for (const uid of await host.cgroups.podUids()) {
      if (isKnown(uid) || this.isCollecting(uid)) continue
      await host.cgroups
        .removePod(uid)
        .catch((error: unknown) =>
          log.warn({ err: error, uid }, 'the cgroup of a pod that is gone could not be removed; it is tried again'),
        )
    }
    await host.files.removeLogs(isKnown)
  }
}
