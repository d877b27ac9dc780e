import { notFound } from '../../api/errors/api-error.ts'
import { configMaps, secrets, services } from '../../api/generated/resources.ts'
import type { Frozen, KubernetesObject, ObjectKey, Resource } from '../../api/resource.ts'
import type { Informers } from '../../client/informer/informers.ts'
import type { PodObjects } from './object-reader.ts'

/** The objects that pods refer to, from informers that many simulated nodes of one process share. */
export class SharedObjects implements PodObjects {
  readonly #informers: Informers

  constructor(informers: Informers) {
    this.#informers = informers
  }

  configMap(key: ObjectKey) {
    return this.#read(configMaps, key)
  }

  secret(key: ObjectKey) {
    return this.#read(secrets, key)
  }

  async services() {
    const informer = this.#informers.of(services)
    await informer.synced
    return informer.list()
  }

  register(): void {
    // Everything is watched already.
  }

  unregister(): void {
    // The informers belong to all nodes.
  }

  async close(): Promise<void> {
    // The same.
  }

  async #read<T extends KubernetesObject>(resource: Resource<T>, key: ObjectKey): Promise<Frozen<T>> {
    const informer = this.#informers.of(resource)
    await informer.synced
    const found = informer.get(key)
    if (!found) throw notFound({ group: '', plural: resource.kind.toLowerCase() }, key.name)
    return found
  }
}
