import { notFound } from '../../api/errors/api-error.ts'
import { configMaps, secrets, services } from '../../api/generated/resources.ts'
import type { ConfigMap, Pod, Secret } from '../../api/generated/types/core-v1.ts'
import { keyText, type Frozen, type KubernetesObject, type ObjectKey, type Resource } from '../../api/resource.ts'
import type { Deps } from '../../base/deps.ts'
import type { Client } from '../../client/client.ts'
import { Informers, type Informer } from '../../client/informer/informers.ts'
import type { PodObjects } from './object-reader.ts'
import { referredObjects } from './references.ts'

interface Watched {
  readonly informer: Informer
  readonly users: Set<string>
  readonly stop: () => void
}

/** What objects are watched with. */
export interface WatchedObjectsOptions extends Deps {
  readonly client: Client
  /** Of the services; others may share them. */
  readonly informers: Informers
  /** Called with the pods that refer to an object that changed. */
  readonly changed: (uid: string) => void
}

/** The objects that this node's pods refer to: one watch for each while a pod needs it, as the node may see no others. */
export class WatchedObjects implements PodObjects {
  readonly #services: Informers
  /** Its own: they end with the last pod here that needs them, whoever else watches the same. */
  readonly #informers: Informers
  readonly #changed: (uid: string) => void
  readonly #watched = new Map<string, Watched>()

  constructor({ informers, changed, client, ...deps }: WatchedObjectsOptions) {
    this.#services = informers
    this.#informers = new Informers({ deps, client })
    this.#changed = changed
  }

  configMap(key: ObjectKey): Promise<Frozen<ConfigMap>> {
    return this.#read(configMaps, key)
  }

  secret(key: ObjectKey): Promise<Frozen<Secret>> {
    return this.#read(secrets, key)
  }

  async services() {
    const informer = this.#services.of(services)
    await informer.synced
    return informer.list()
  }

  register(pod: Frozen<Pod>): void {
    const uid = pod.metadata.uid ?? ''
    const wanted = new Set<string>()
    for (const { kind, name } of referredObjects(pod)) {
      const resource = kind === 'ConfigMap' ? configMaps : secrets
      const key = { namespace: pod.metadata.namespace, name }
      const id = `${resource.plural}/${keyText(key)}`
      wanted.add(id)
      const watched = this.#watched.get(id) ?? this.#start(resource, key, id)
      watched.users.add(uid)
    }
    this.#release(uid, wanted)
  }

  unregister(uid: string): void {
    this.#release(uid, new Set())
  }

  close(): Promise<void> {
    return this.#informers.close()
  }

  #release(uid: string, keep: ReadonlySet<string>): void {
    for (const [id, watched] of this.#watched) {
      if (keep.has(id) || !watched.users.delete(uid) || watched.users.size > 0) continue
      this.#watched.delete(id)
      watched.stop()
    }
  }

  #start(resource: Resource, key: ObjectKey, id: string): Watched {
    const selection = { namespace: key.namespace ?? '', fieldSelector: `metadata.name=${key.name}` }
    const informer = this.#informers.of(resource, selection)
    const users = new Set<string>()
    // What was there from the beginning is no change: whoever reads waits for it.
    const tell = () => informer.hasSynced() && users.forEach((uid) => this.#changed(uid))
    const off = informer.on({ added: tell, updated: tell })
    const stop = () => {
      off()
      this.#informers.stop(resource, selection).catch(() => undefined) // It ends at the latest with the process.
    }
    const watched = { informer, users, stop }
    this.#watched.set(id, watched)
    return watched
  }

  async #read<T extends KubernetesObject>(resource: Resource<T>, key: ObjectKey): Promise<Frozen<T>> {
    const id = `${resource.plural}/${keyText(key)}`
    const watched = this.#watched.get(id) ?? this.#start(resource, key, id)
    await watched.informer.synced
    const found = watched.informer.get(key)
    // In upstream's words: the kind in the singular.
    if (!found) throw notFound({ group: '', plural: resource.kind.toLowerCase() }, key.name)
    return found as Frozen<T>
  }
}
