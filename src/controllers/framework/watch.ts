import type { Frozen, KubernetesObject, Resource } from '../../api/resource.ts'
import { apiVersionOf, keyOf, keyText } from '../../api/resource.ts'
import { controllerOf, namespaceOf, uidOf } from '../../client/object.ts'
import type { Informers } from '../../client/informer/informers.ts'

/** Where a watch puts what it finds. */
export interface WatchContext {
  readonly informers: Informers
  enqueue(key: string): void
}

/** Turns events of some resource into keys of the resource that a controller reconciles. */
export interface Watch {
  readonly resource: Resource
  start(context: WatchContext): void
}

/** The keys to look at when an object of `resource` comes, changes or goes; on a change for the old and the new state, if it `matters`. */
export function watch<D extends KubernetesObject>(
  resource: Resource<D>,
  keys: (object: Frozen<D>, context: WatchContext) => readonly string[],
  matters?: (object: Frozen<D>, old: Frozen<D>) => boolean,
): Watch {
  return {
    resource,
    start(context) {
      const enqueue = (object: Frozen<D>) => keys(object, context).forEach((key) => context.enqueue(key))
      context.informers.of(resource).on({
        added: enqueue,
        updated(object, old) {
          if (matters && !matters(object, old)) return
          enqueue(old)
          enqueue(object)
        },
        deleted: enqueue,
      })
    },
  }
}

/** How the owners of objects are found. */
export interface OwnedOptions<O, D> {
  /** Which owners an object without controller could belong to: they are told, so that they adopt it. */
  readonly adopts?: (owner: Frozen<O>, orphan: Frozen<D>) => boolean
}

/** Tells an owner of each change of what it manages. */
export function ownedBy<O extends KubernetesObject, D extends KubernetesObject>(
  owners: Resource<O>,
  resource: Resource<D>,
  options: OwnedOptions<O, D> = {},
): Watch {
  return {
    resource,
    start(context) {
      const ownerInformer = context.informers.of(owners)
      const ownerOf = (object: Frozen<D>): Frozen<O> | undefined => {
        const reference = controllerOf(object)
        if (!reference || reference.kind !== owners.kind || !sameGroup(reference.apiVersion, owners)) return undefined
        const owner = ownerInformer.get({
          namespace: owners.namespaced ? namespaceOf(object) : undefined,
          name: reference.name,
        })
        return owner && uidOf(owner) === reference.uid ? owner : undefined
      }
      const tellOwner = (object: Frozen<D>) => {
        const owner = ownerOf(object)
        if (owner) context.enqueue(keyText(keyOf(owner)))
      }
      const tellAdopters = (object: Frozen<D>) => {
        if (!options.adopts || controllerOf(object)) return
        for (const owner of ownerInformer.list(namespaceOf(object)))
          if (options.adopts(owner, object)) context.enqueue(keyText(keyOf(owner)))
      }
      context.informers.of(resource).on({
        added(object) {
          tellOwner(object)
          tellAdopters(object)
        },
        updated(object, old) {
          if (controllerOf(old)?.uid !== controllerOf(object)?.uid) tellOwner(old)
          tellOwner(object)
          tellAdopters(object)
        },
        deleted: tellOwner,
      })
    },
  }
}

/** References name a version; which one does not matter. */
const sameGroup = (apiVersion: string, resource: Resource): boolean =>
  apiVersion === apiVersionOf(resource) ||
  (apiVersion.includes('/') ? apiVersion.slice(0, apiVersion.indexOf('/')) : '') === resource.group
