import { isNotFound } from '../../api/errors/api-error.ts'
import { jobs } from '../../api/generated/resources.ts'
import type { Job } from '../../api/generated/types/batch-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { keyOf } from '../../api/resource.ts'
import { isBeingDeleted, msOf, uidOf } from '../../client/object.ts'
import { defineController, done, requeueAfter, type Context, type Outcome } from '../framework/controller.ts'

/** Deletes Jobs some time after they ended, if they say so. */
export const ttlAfterFinishedController = defineController<Job>({
  name: 'ttl-after-finished-controller',
  reconciles: jobs,
  parallel: 5,
  reconcile,
})

async function reconcile(job: Frozen<Job>, c: Context<Job>): Promise<Outcome> {
  const leftMs = timeLeftMs(job, c.clock.now())
  if (leftMs === undefined) return done
  if (leftMs > 0) return requeueAfter(leftMs)
  try {
    // Asked anew: somebody may just have given it more time.
    const fresh = await c.client.get(jobs, keyOf(job))
    const freshLeftMs = timeLeftMs(fresh, c.clock.now())
    if (uidOf(fresh) !== uidOf(job) || freshLeftMs === undefined) return done
    if (freshLeftMs > 0) return requeueAfter(freshLeftMs)
    await c.client.delete(jobs, keyOf(job), {
      uid: uidOf(fresh),
      propagationPolicy: 'Foreground',
      ...(fresh.metadata.resourceVersion && { resourceVersion: fresh.metadata.resourceVersion }),
    })
    c.metrics
      .histogram(
        'ttl_after_finished_controller_job_deletion_duration_seconds',
        'The time it took to delete the job since it became eligible for deletion',
        [0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 6.4, 12.8, 25.6, 51.2, 102.4, 204.8, 409.6, 819.2],
      )
      .observe(Math.max(0, -freshLeftMs) / 1000)
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
  return done
}

/** In how many milliseconds the Job is to go; undefined when it is not to go by itself. */
export function timeLeftMs(job: Frozen<Job>, nowMs: number): number | undefined {
  const seconds = job.spec?.ttlSecondsAfterFinished
  if (seconds === undefined || isBeingDeleted(job)) return undefined
  const finished = job.status?.conditions?.find(
    ({ type, status }) => (type === 'Complete' || type === 'Failed') && status === 'True',
  )
  if (!finished?.lastTransitionTime) return undefined
  return msOf(finished.lastTransitionTime) + seconds * 1000 - nowMs
}
