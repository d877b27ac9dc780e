import type { Deployment, ReplicaSet } from '../../api/generated/types/apps-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { annotationsOf } from '../../client/object.ts'

type Annotations = Readonly<Record<string, string>>

/** Annotations that Deployments and their ReplicaSets carry. */
export const revisionAnnotation = 'deployment.kubernetes.io/revision'
export const revisionHistoryAnnotation = 'deployment.kubernetes.io/revision-history'
export const desiredReplicasAnnotation = 'deployment.kubernetes.io/desired-replicas'
export const maxReplicasAnnotation = 'deployment.kubernetes.io/max-replicas'
export const rollbackToAnnotation = 'deprecated.deployment.rollback.to'

/** Annotations of a Deployment that its ReplicaSets do not get. */
const notCopied = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  revisionAnnotation,
  revisionHistoryAnnotation,
  desiredReplicasAnnotation,
  maxReplicasAnnotation,
  rollbackToAnnotation,
])

/** The revisions that a ReplicaSet remembers take at most this many characters. */
const historyLengthMax = 2000

/** A ReplicaSet's revision; 0 when it has none. */
export const revisionOf = (rs: Frozen<ReplicaSet>): bigint =>
  parseRevision(annotationsOf(rs)[revisionAnnotation] ?? '') ?? 0n

const int64Max = 2n ** 63n - 1n

/** Revisions have 64 bits; undefined for what is none. */
export function parseRevision(text: string): bigint | undefined {
  if (!/^[+-]?\d+$/.test(text)) return undefined
  const revision = BigInt(text.replace('+', ''))
  return revision <= int64Max && revision >= -int64Max - 1n ? revision : undefined
}

/** The older first. */
export const compareRevisions = (a: bigint, b: bigint): number => (a < b ? -1 : a > b ? 1 : 0)

/** A count in an annotation; undefined when it is absent or no count. */
export function countIn(rs: Frozen<ReplicaSet>, annotation: string): number | undefined {
  const text = annotationsOf(rs)[annotation]
  return text !== undefined && /^\d+$/.test(text) && Number(text) < 2 ** 31 ? Number(text) : undefined
}

/** The annotations that say which size the Deployment has: how proportional scaling is told from a rollout. */
export const sizeAnnotations = (replicas: number, surge: number): Annotations => ({
  [desiredReplicasAnnotation]: String(replicas),
  [maxReplicasAnnotation]: String(replicas + surge),
})

/** The annotations that the current ReplicaSet should have: the Deployment's, and its revision with the history of earlier ones. */
export function currentAnnotations(
  deployment: Frozen<Deployment>,
  existing: Annotations,
  revision: bigint,
): Annotations {
  const next: Record<string, string> = { ...existing }
  for (const [key, value] of Object.entries(annotationsOf(deployment))) if (!notCopied.has(key)) next[key] = value
  const old = existing[revisionAnnotation]
  const oldRevision = old === undefined ? 0n : parseRevision(old)
  if (oldRevision === undefined || oldRevision >= revision) return next
  next[revisionAnnotation] = String(revision)
  // It had a revision and gets a new one: somebody rolled back to it.
  if (old !== undefined) next[revisionHistoryAnnotation] = withRevision(existing[revisionHistoryAnnotation] ?? '', old)
  return next
}

/** The Deployment's annotations after a rollback to `rs`. */
export function rolledBackAnnotations(deployment: Frozen<Deployment>, rs: Frozen<ReplicaSet>): Annotations {
  const keep = Object.entries(annotationsOf(deployment)).filter(
    ([key]) => notCopied.has(key) && key !== rollbackToAnnotation,
  )
  const from = Object.entries(annotationsOf(rs)).filter(([key]) => !notCopied.has(key))
  return Object.fromEntries([...keep, ...from])
}

function withRevision(history: string, revision: string): string {
  const revisions = history === '' ? [] : history.split(',')
  revisions.push(revision)
  while (revisions.length > 1 && revisions.join(',').length > historyLengthMax) revisions.shift()
  return revisions.join(',')
}
