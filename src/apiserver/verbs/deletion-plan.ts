import type { Kind } from '../../api/kind.ts'
import type { Frozen, KubernetesObject } from '../../api/resource.ts'
import type { Draft } from '../registry/resource-storage.ts'
import type { Deletion } from '../request/options.ts'
import { timeText } from '../../api/schema/times.ts'
import { deletionRules } from './deletion-rules.ts'

/** What a deletion comes to. */
export type Plan =
  | { readonly step: 'remove'; readonly last?: Draft }
  | { readonly step: 'pending' }
  | { readonly step: 'mark'; readonly draft: Draft }

/** What a deletion does to an object: removes it, marks it as being deleted, or nothing, since that has been done. */
export function planOf(kind: Kind, object: Frozen<KubernetesObject>, deletion: Deletion, nowMs: number): Plan {
  const metadata = { ...object.metadata } as Draft['metadata']
  const draft = { ...object, metadata } as Draft
  if (deletion.gracePeriodSeconds !== undefined && deletion.gracePeriodSeconds < 0) deletion.gracePeriodSeconds = 1
  if (deletionRules(kind).bySpecFinalizers) return namespacePlan(draft, deletion, nowMs)
  if (deletionRules(kind).ownsObjects && !metadata.deletionTimestamp) return definitionPlan(draft, nowMs)
  const grace = gracefully(kind, draft, deletion, nowMs)
  if (grace === 'pending') return { step: 'pending' }
  const finalizers = finalizersFor(kind, object, deletion)
  if (finalizers.length > 0) metadata.finalizers = finalizers
  else delete metadata.finalizers
  if (grace === 'graceful')
    return metadata.deletionGracePeriodSeconds === 0 && finalizers.length === 0
      ? { step: 'remove', last: draft }
      : { step: 'mark', draft }
  if (finalizers.length === 0) return { step: 'remove' }
  if (!object.metadata?.deletionTimestamp && metadata.generation) metadata.generation++
  if (!metadata.deletionTimestamp || Date.parse(metadata.deletionTimestamp) > nowMs)
    metadata.deletionTimestamp = timeText(nowMs)
  metadata.deletionGracePeriodSeconds = 0
  return { step: 'mark', draft }
}

/** Sets the deletion's times where the kind has a grace period. */
function gracefully(
  { behaviour }: Kind,
  draft: Draft,
  deletion: Deletion,
  nowMs: number,
): 'graceful' | 'pending' | 'at once' {
  if (!behaviour.gracePeriodSeconds) return 'at once'
  const { metadata } = draft
  const asked = deletion.gracePeriodSeconds
  if (metadata.deletionTimestamp) {
    const before = metadata.deletionGracePeriodSeconds
    if (!before) return 'at once'
    // A deletion can only be made shorter.
    if (asked === undefined || asked >= before) return 'pending'
    let at = Date.parse(metadata.deletionTimestamp) - before * 1000 + asked * 1000
    let period = asked
    if (at < nowMs) {
      at = nowMs
      if (period !== 0) period = 1
    }
    metadata.deletionTimestamp = timeText(at)
    metadata.deletionGracePeriodSeconds = period
    return 'graceful'
  }
  const period = behaviour.gracePeriodSeconds(draft as Frozen<KubernetesObject>, asked)
  metadata.deletionTimestamp = timeText(nowMs + period * 1000)
  metadata.deletionGracePeriodSeconds = period
  if (metadata.generation) metadata.generation++
  return 'graceful'
}

/** A namespace first says that it ends; its controller empties it and takes the finalizers off its spec, and only then it can go. */
function namespacePlan(draft: Draft, deletion: Deletion, nowMs: number): Plan {
  const { metadata } = draft
  const namespace = draft as Draft & { spec?: { finalizers?: readonly string[] }; status?: { phase?: string } }
  if (metadata.deletionTimestamp) {
    if (namespace.spec?.finalizers?.length) return { step: 'pending' }
    return metadata.finalizers?.length ? { step: 'pending' } : { step: 'remove' }
  }
  const finalizers = policyFinalizers(metadata.finalizers ?? [], deletion, false)
  if (finalizers.length > 0) metadata.finalizers = finalizers
  else delete metadata.finalizers
  metadata.deletionTimestamp = timeText(nowMs)
  namespace.status = { ...namespace.status, phase: 'Terminating' }
  return { step: 'mark', draft }
}

/** The finalizer of definitions of custom kinds, which the server itself takes off. */
export const cleanupFinalizer = 'customresourcecleanup.apiextensions.k8s.io'

/** A definition first says that its objects go. */
function definitionPlan(draft: Draft, nowMs: number): Plan {
  const { metadata } = draft
  metadata.deletionTimestamp = timeText(nowMs)
  metadata.finalizers = [
    ...(metadata.finalizers ?? []).filter((finalizer) => finalizer !== cleanupFinalizer),
    cleanupFinalizer,
  ]
  const definition = draft as Draft & { status?: { conditions?: readonly { type: string }[] } }
  const terminating = {
    type: 'Terminating',
    status: 'True',
    reason: 'InstanceDeletionPending',
    message: 'CustomResourceDefinition marked for deletion; CustomResource deletion will begin soon',
    lastTransitionTime: timeText(nowMs),
  }
  definition.status = {
    ...definition.status,
    conditions: [...(definition.status?.conditions ?? []).filter(({ type }) => type !== 'Terminating'), terminating],
  }
  return { step: 'mark', draft }
}

const orphan = 'orphan'
const foreground = 'foregroundDeletion'

/** The finalizers that the deletion's propagation policy leaves on the object. */
function finalizersFor(kind: Kind, object: Frozen<KubernetesObject>, deletion: Deletion): string[] {
  const present = object.metadata?.finalizers ?? []
  const { collected, orphansByDefault } = deletionRules(kind)
  return collected ? policyFinalizers(present, deletion, orphansByDefault) : [...present]
}

function policyFinalizers(present: readonly string[], deletion: Deletion, orphansByDefault: boolean): string[] {
  const policy = policyOf(present, deletion)
  const finalizers = present.filter((finalizer) => finalizer !== orphan && finalizer !== foreground)
  if (policy === 'Orphan' || (policy === undefined && orphansByDefault)) finalizers.push(orphan)
  if (policy === 'Foreground') finalizers.push(foreground)
  return finalizers
}

/** What the client says comes first, then what an earlier deletion put on the object. */
function policyOf(
  present: readonly string[],
  { orphanDependents, propagationPolicy }: Deletion,
): Deletion['propagationPolicy'] {
  if (orphanDependents !== undefined) return orphanDependents ? 'Orphan' : 'Background'
  if (propagationPolicy) return propagationPolicy
  for (const finalizer of present) {
    if (finalizer === orphan) return 'Orphan'
    if (finalizer === foreground) return 'Foreground'
  }
  return undefined
}
