import type { ControllerRevision } from '../../api/generated/types/apps-v1.ts'
import type { Pod, PodTemplateSpec } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { labelsOf } from '../../client/object.ts'
import { revisionHashLabel } from '../history/revisions.ts'

/** The two revisions that a set may have pods of. */
export interface Revisions {
  readonly current: Frozen<ControllerRevision>
  readonly update: Frozen<ControllerRevision>
}

/** The pod template that a revision keeps. */
export function templateOf(revision: Frozen<ControllerRevision>): Frozen<PodTemplateSpec> {
  const { spec } = (revision.data ?? {}) as { spec?: { template?: Frozen<PodTemplateSpec> & { $patch?: string } } }
  const { $patch: _, ...template } = spec?.template ?? {}
  return template
}

/** The revision that a pod is of. */
export const revisionOf = (pod: Frozen<Pod>): string => labelsOf(pod)[revisionHashLabel] ?? ''
