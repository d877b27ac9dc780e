import type { Deps } from '../../base/deps.ts'
import type { KeyPair } from './certificate.ts'
import type { ClusterPki } from './cluster-pki.ts'

/** How often certificates are looked at: a renewed one is in use long before the old one ends, however slow. */
const lookMs = 6 * 3_600_000

/** A cluster's certificates as they are now, while the process runs: looked at again and again, and whoever serves with one is told when it was renewed. */
export class LivePki {
  #current: ClusterPki
  readonly #read: () => Promise<ClusterPki>
  readonly #deps: Pick<Deps, 'clock' | 'log'>
  readonly #told: ((pki: ClusterPki) => void)[] = []
  #cancel = (): void => {}
  #closed = false

  /** `read` reads the certificates anew, and in one process of the cluster renews those that end soon. */
  constructor(first: ClusterPki, read: () => Promise<ClusterPki>, deps: Pick<Deps, 'clock' | 'log'>) {
    this.#current = first
    this.#read = read
    this.#deps = deps
    this.#schedule()
  }

  get current(): ClusterPki {
    return this.#current
  }

  /** One of the pairs, as it is whenever it is read. */
  pair(choose: (pki: ClusterPki) => KeyPair): KeyPair {
    const chosen = () => choose(this.#current)
    return {
      get cert() {
        return chosen().cert
      },
      get key() {
        return chosen().key
      },
    }
  }

  /** Tells of the pair whenever it has become another one. */
  follow(choose: (pki: ClusterPki) => KeyPair, told: (pair: KeyPair) => void): void {
    let { cert } = choose(this.#current)
    this.#told.push((pki) => {
      const pair = choose(pki)
      if (pair.cert === cert) return
      cert = pair.cert
      told(pair)
    })
  }

  close(): Promise<void> {
    this.#closed = true
    this.#cancel()
    return Promise.resolve()
  }

  /** Looks at them now, and then again after a while. */
  async look(): Promise<void> {
    try {
      this.#current = await this.#read()
      for (const tell of this.#told) tell(this.#current)
    } catch (error) {
      // A full disk, say: what is in use is good for weeks still.
      this.#deps.log.warn({ err: error }, 'the certificates could not be looked at; the ones in use stay')
    }
    this.#schedule()
  }

  #schedule(): void {
    this.#cancel()
    if (!this.#closed) this.#cancel = this.#deps.clock.after(lookMs, () => void this.look())
  }
}
