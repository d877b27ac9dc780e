import type { ManagedFieldsEntry } from '../generated/types/meta-v1.ts'
import type { Frozen } from '../resource.ts'
import { difference, has, setOf, union } from './field-set.ts'
import type { Manager } from './managers.ts'
import { entriesOf, managersOf, owners, sameManager, withFields } from './managers.ts'

type Entries = readonly Frozen<ManagedFieldsEntry>[] | undefined

/** The version of Scale objects. */
const scaleVersion = 'autoscaling/v1'

const replicasInScale = ['f:spec', 'f:replicas']
const replicasSet = setOf(replicasInScale)

/** The steps of a dot path: 'spec.replicas' is ['f:spec', 'f:replicas']. */
const stepsOf = (path: string): readonly string[] => path.split('.').map((name) => `f:${name}`)

/** The managed fields of an object's Scale: who owns the number of replicas. `replicasPath` is the dot path in the object, as `behaviour.scale` has it. */
export function scaleManagedFields(parent: Entries, replicasPath: string): ManagedFieldsEntry[] | undefined {
  const path = stepsOf(replicasPath)
  const managers = (managersOf(parent) ?? []).filter(({ fields }) => has(fields, path))
  return entriesOf(
    managers.map(({ name, operation, subresource, time }) => ({
      name,
      operation,
      apiVersion: scaleVersion,
      subresource,
      time,
      fields: replicasSet,
    })),
  )
}

/**
 * The managed fields of the object after its Scale was written: whoever owns the replicas of the Scale owns those of the object, and nobody else does.
 * `apiVersion` is the object's.
 */
export function parentManagedFields(
  parent: Entries,
  scale: Entries,
  { apiVersion, replicasPath }: { readonly apiVersion: string; readonly replicasPath: string },
): ManagedFieldsEntry[] | undefined {
  const path = stepsOf(replicasPath)
  const replicas = setOf(path)
  const owning: Manager[] = (managersOf(scale) ?? [])
    .filter(({ fields }) => has(fields, replicasInScale))
    .map(({ name, operation, subresource, time }) => ({
      name,
      operation,
      apiVersion,
      subresource,
      time,
      fields: replicas,
    }))
  const out: Manager[] = []
  for (const manager of managersOf(parent) ?? []) {
    const keeps = owning.findIndex((owner) => sameManager(owner, manager))
    if (keeps >= 0) {
      out.push(withFields(manager, union(manager.fields, replicas)))
      owning.splice(keeps, 1)
    } else {
      out.push(has(manager.fields, path) ? withFields(manager, difference(manager.fields, replicas)) : manager)
    }
  }
  return entriesOf(owners([...out, ...owning]))
}
