import { jobs } from '../../api/generated/resources.ts'
import type { Job } from '../../api/generated/types/batch-v1.ts'
import type { Container, ContainerStatus, Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { annotationsOf, isBeingDeleted, msOf, nameOf } from '../../client/object.ts'
import { podCondition, podFromTemplate } from '../framework/pod.ts'

type FrozenJob = Frozen<Job>
type FrozenPod = Frozen<Pod>

/** Keeps an ended pod until its Job has counted it. */
export const trackingFinalizer = 'batch.kubernetes.io/job-tracking'
const indexAnnotation = 'batch.kubernetes.io/job-completion-index'
const failureCountAnnotation = 'batch.kubernetes.io/job-index-failure-count'
const ignoredCountAnnotation = 'batch.kubernetes.io/job-index-ignored-failure-count'

/** What a Job asks for. */
export const isIndexed = (job: FrozenJob): boolean => job.spec?.completionMode === 'Indexed'
export const hasLimitPerIndex = (job: FrozenJob): boolean => job.spec?.backoffLimitPerIndex !== undefined
export const isSuspended = (job: FrozenJob): boolean => job.spec?.suspend ?? false

/** Pods are replaced only when they have ended, not already when they are being deleted. */
export const replacesOnlyFailed = (job: FrozenJob): boolean =>
  job.spec?.podReplacementPolicy === 'Failed' || job.spec?.podFailurePolicy !== undefined

/** Whether a Pod is still counted through its finalizer. */
export const isTracked = (pod: FrozenPod): boolean => (pod.metadata.finalizers ?? []).includes(trackingFinalizer)

/** The pod's completion index; undefined when it has none. */
export function indexOf(pod: FrozenPod): number | undefined {
  const text = annotationsOf(pod)[indexAnnotation]
  return text !== undefined && /^\d+$/.test(text) ? Number(text) : undefined
}

/** The pod counts as a failure: also one that is being deleted, since it may never get to say so. */
export function hasFailed(job: FrozenJob, pod: FrozenPod): boolean {
  if (pod.status?.phase === 'Failed') return true
  return !replacesOnlyFailed(job) && isBeingDeleted(pod) && pod.status?.phase !== 'Succeeded'
}

/** How often pods of this one's index failed before it: counted failures, and ignored ones. */
export const failureCounts = (pod: FrozenPod): { counted: number; ignored: number } => ({
  counted: countIn(pod, failureCountAnnotation),
  ignored: countIn(pod, ignoredCountAnnotation),
})

const countIn = (pod: FrozenPod, annotation: string): number => Number(annotationsOf(pod)[annotation] ?? 0) || 0

/** When the pod ended. */
export function finishedMs(pod: FrozenPod): number {
  const sidecars = new Set(
    (pod.spec?.initContainers ?? []).filter(({ restartPolicy }) => restartPolicy === 'Always').map(({ name }) => name),
  )
  const relevant = [
    ...(pod.status?.containerStatuses ?? []),
    ...(pod.status?.initContainerStatuses ?? []).filter(({ name }) => sidecars.has(name)),
  ]
  const times = relevant.map(({ state }: Frozen<ContainerStatus>) => state?.terminated?.finishedAt)
  if (times.length > 0 && times.every((time) => time !== undefined))
    return Math.max(...times.map((time) => msOf(time ?? '')))
  const ready = podCondition(pod, 'Ready')
  if (ready?.status === 'False' && ready.lastTransitionTime) return msOf(ready.lastTransitionTime)
  if (pod.metadata.deletionTimestamp)
    return msOf(pod.metadata.deletionTimestamp) - (pod.metadata.deletionGracePeriodSeconds ?? 0) * 1000
  return pod.metadata.creationTimestamp ? msOf(pod.metadata.creationTimestamp) : 0
}

/** What a new pod of an index is told. */
export interface IndexedPod {
  readonly index: number
  /** Failures of the index so far, where they are counted for each. */
  readonly failures?: { readonly counted: number; readonly ignored: number }
}

/** A new pod of the Job. */
export function newPod(job: FrozenJob, indexed: IndexedPod | undefined): Frozen<Pod> {
  const pod = podFromTemplate(jobs, job, job.spec?.template ?? {})
  const finalizers = [...new Set([...(pod.metadata.finalizers ?? []), trackingFinalizer])]
  if (!indexed) return { ...pod, metadata: { ...pod.metadata, finalizers } }
  const { index, failures } = indexed
  const spec = pod.spec ?? { containers: [] }
  const annotations = {
    ...pod.metadata.annotations,
    [indexAnnotation]: String(index),
    ...(failures && { [failureCountAnnotation]: String(failures.counted) }),
    ...(failures && failures.ignored > 0 && { [ignoredCountAnnotation]: String(failures.ignored) }),
  }
  return {
    ...pod,
    metadata: {
      ...pod.metadata,
      finalizers,
      annotations,
      labels: { ...pod.metadata.labels, [indexAnnotation]: String(index) },
      generateName: generateName(job, index),
    },
    spec: {
      ...spec,
      hostname: `${nameOf(job)}-${index}`,
      containers: spec.containers.map(withIndexVariable),
      ...(spec.initContainers && { initContainers: spec.initContainers.map(withIndexVariable) }),
    },
  }
}

/** The index must survive when the server cuts the name off. */
function generateName(job: FrozenJob, index: number): string {
  const end = `-${index}-`
  return nameOf(job).slice(0, 58 - end.length) + end
}

function withIndexVariable(container: Frozen<Container>): Frozen<Container> {
  const env = container.env ?? []
  if (env.some(({ name }) => name === 'JOB_COMPLETION_INDEX')) return container
  return {
    ...container,
    env: [
      ...env,
      { name: 'JOB_COMPLETION_INDEX', valueFrom: { fieldRef: { fieldPath: `metadata.labels['${indexAnnotation}']` } } },
    ],
  }
}
