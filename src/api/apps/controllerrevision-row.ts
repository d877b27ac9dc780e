import type { ControllerRevision } from '../generated/types/apps-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { age, name } from '../table-format/cells.ts'

/** What `kubectl get controllerrevisions` shows. */
export const controllerRevisionRow = (revision: Frozen<ControllerRevision>, nowMs: number): Cell[] => [
  name(revision),
  controllerCell(revision),
  revision.revision ?? 0,
  age(revision, nowMs),
]

function controllerCell({ metadata }: Frozen<ControllerRevision>): string {
  const owner = metadata?.ownerReferences?.find(({ controller }) => controller)
  if (!owner) return '<none>'
  const [group] = owner.apiVersion.includes('/') ? owner.apiVersion.split('/') : ['']
  return `${(group ? `${owner.kind}.${group}` : owner.kind).toLowerCase()}/${owner.name}`
}
