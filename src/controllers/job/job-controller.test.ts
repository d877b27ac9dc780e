import assert from 'node:assert/strict'
import { test } from 'node:test'
import { events, jobs, pods } from '../../api/generated/resources.ts'
import type { JobSpec } from '../../api/generated/types/batch-v1.ts'
import type { Pod, PodStatus } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { timestamp } from '../../client/object.ts'
import { startWorld, type World } from '../testing/world.ts'

const key = { namespace: 'default', name: 'j' }

async function start(spec: Partial<JobSpec> = {}): Promise<World> {
  const world = await startWorld(['job-controller'])
  await world.client.create(jobs, {
    metadata: key,
    spec: {
      parallelism: 1,
      completions: 1,
      backoffLimit: 6,
      template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'a' }] } },
      ...spec,
    },
  })
  await world.clock.settle()
  return world
}

const status = async (world: World) => (await world.client.get(jobs, key)).status
const conditions = async (world: World) =>
  (await status(world))?.conditions
    ?.filter((each) => each.status === 'True')
    .map(({ type, reason }) => `${type} ${reason}`) ?? []
const index = (pod: Frozen<Pod>) => pod.metadata.annotations?.['batch.kubernetes.io/job-completion-index']
const running = async (world: World) =>
  (await world.pods()).filter((pod) => !['Succeeded', 'Failed'].includes(pod.status?.phase ?? ''))

async function end(
  world: World,
  phase: 'Succeeded' | 'Failed',
  chosen?: readonly Frozen<Pod>[],
  more: Partial<PodStatus> = {},
): Promise<void> {
  for (const pod of chosen ?? (await running(world)))
    await world.client.updateStatus(pods, {
      ...pod,
      status: {
        phase,
        conditions: [{ type: 'Ready', status: 'False', lastTransitionTime: timestamp(world.clock.now()) }],
        ...more,
      },
    })
  await world.clock.settle()
}

test('a Job is complete when its pod succeeded, and the pod may go then', async () => {
  await using world = await start()
  const [pod] = await world.pods()
  assert.deepEqual(pod?.metadata.finalizers, ['batch.kubernetes.io/job-tracking'])
  assert.equal((await status(world))?.active, 1)
  await end(world, 'Succeeded')
  assert.deepEqual(await conditions(world), ['SuccessCriteriaMet CompletionsReached', 'Complete CompletionsReached'])
  assert.equal((await status(world))?.succeeded, 1)
  assert.ok((await status(world))?.completionTime)
  assert.equal((await world.pods())[0]?.metadata.finalizers?.length ?? 0, 0)
  assert.deepEqual(
    (await world.client.list(events)).items.map(({ reason }) => reason),
    ['SuccessfulCreate', 'Completed'],
  )
})

test('failed pods are replaced after 10, 20, 40 seconds, until the limit', async () => {
  await using world = await start({ backoffLimit: 2 })
  await end(world, 'Failed')
  assert.equal((await running(world)).length, 0)
  await world.clock.advance(10_000)
  assert.equal((await running(world)).length, 1)
  await end(world, 'Failed')
  await world.clock.advance(19_000)
  assert.equal((await running(world)).length, 0)
  await world.clock.advance(1_000)
  await end(world, 'Failed')
  assert.deepEqual(await conditions(world), ['FailureTarget BackoffLimitExceeded', 'Failed BackoffLimitExceeded'])
  assert.equal((await status(world))?.failed, 3)
})

test('no more than the parallelism run, and no more than are left to complete', async () => {
  await using world = await start({ parallelism: 3, completions: 5 })
  assert.equal((await running(world)).length, 3)
  await end(world, 'Succeeded')
  assert.equal((await running(world)).length, 2)
  await end(world, 'Succeeded')
  assert.equal((await status(world))?.succeeded, 5)
  assert.deepEqual((await conditions(world)).at(-1), 'Complete CompletionsReached')
})

test('an indexed Job has one success for each index', async () => {
  await using world = await start({ parallelism: 2, completions: 4, completionMode: 'Indexed' })
  const [first, second] = await world.pods()
  assert.deepEqual(
    [first, second].map((pod) => index(pod!)),
    ['0', '1'],
  )
  assert.equal(first?.spec?.hostname, 'j-0')
  assert.equal(first?.spec?.containers[0]?.env?.[0]?.name, 'JOB_COMPLETION_INDEX')
  await end(world, 'Succeeded', [second!])
  assert.equal((await status(world))?.completedIndexes, '1')
  assert.deepEqual((await running(world)).map(index), ['0', '2'])
  await end(world, 'Succeeded')
  await end(world, 'Succeeded')
  assert.equal((await status(world))?.completedIndexes, '0-3')
})

test('with a limit for each index the others go on', async () => {
  await using world = await start({
    parallelism: 2,
    completions: 2,
    completionMode: 'Indexed',
    backoffLimitPerIndex: 1,
    backoffLimit: 100,
  })
  const zero = async () => (await running(world)).filter((pod) => index(pod) === '0')
  await end(world, 'Failed', await zero())
  await world.clock.advance(10_000)
  const [again] = await zero()
  assert.equal(again?.metadata.annotations?.['batch.kubernetes.io/job-index-failure-count'], '1')
  await end(world, 'Failed', [again!])
  await world.clock.advance(60_000)
  assert.deepEqual((await running(world)).map(index), ['1'])
  assert.equal((await status(world))?.failedIndexes, '0')
  await end(world, 'Succeeded')
  assert.deepEqual((await conditions(world)).at(-1), 'Failed FailedIndexes')
})

test('a success policy ends the Job early', async () => {
  await using world = await start({
    parallelism: 3,
    completions: 3,
    completionMode: 'Indexed',
    successPolicy: { rules: [{ succeededIndexes: '1' }] },
  })
  await end(
    world,
    'Succeeded',
    (await running(world)).filter((pod) => index(pod) === '1'),
  )
  await world.clock.settle()
  assert.deepEqual(await conditions(world), ['SuccessCriteriaMet SuccessPolicy', 'Complete SuccessPolicy'])
  assert.equal((await running(world)).length, 0)
})

test('a failure policy may end the Job, or not count the failure', async () => {
  const exited = (exitCode: number): Partial<PodStatus> => ({
    containerStatuses: [
      { name: 'c', image: '', imageID: '', ready: false, restartCount: 0, state: { terminated: { exitCode } } },
    ],
  })
  await using world = await start({
    backoffLimit: 0,
    podFailurePolicy: {
      rules: [
        { action: 'Ignore', onExitCodes: { operator: 'In', values: [1] } },
        { action: 'FailJob', onExitCodes: { operator: 'In', values: [42] } },
      ],
    },
  })
  await end(world, 'Failed', undefined, exited(1))
  await world.clock.advance(15_000)
  assert.equal((await running(world)).length, 1)
  await end(world, 'Failed', undefined, exited(42))
  assert.deepEqual((await conditions(world)).at(-1), 'Failed PodFailurePolicy')
  const failed = (await status(world))?.conditions?.at(-1)
  assert.match(
    failed?.message ?? '',
    /^Container c for pod default\/j-\w+ failed with exit code 42 matching FailJob rule at index 1$/,
  )
})

test('a Job that takes too long is ended', async () => {
  await using world = await start({ activeDeadlineSeconds: 30 })
  await world.clock.advance(29_000)
  assert.deepEqual(await conditions(world), [])
  await world.clock.advance(2_000)
  assert.deepEqual((await conditions(world)).at(-1), 'Failed DeadlineExceeded')
})

test('a suspended Job has no pods until it is resumed', async () => {
  await using world = await start({ suspend: true })
  assert.equal((await world.pods()).length, 0)
  assert.deepEqual(await conditions(world), ['Suspended JobSuspended'])
  assert.equal((await status(world))?.startTime, undefined)
  await world.client.patch(jobs, key, { spec: { suspend: false } }, { type: 'merge' })
  await world.clock.settle()
  assert.equal((await world.pods()).length, 1)
  assert.deepEqual(await conditions(world), [])
  assert.ok((await status(world))?.startTime)
})

test('pods of a Job that is gone lose their finalizer', async () => {
  await using world = await start()
  await world.client.delete(jobs, key)
  await world.clock.settle()
  assert.equal((await world.pods())[0]?.metadata.finalizers?.length ?? 0, 0)
})

test('each of many pods is counted once', async () => {
  await using world = await start({ parallelism: 40, completions: 100, backoffLimit: 1000 })
  let failures = 0
  for (let round = 0; round < 40 && (await status(world))?.completionTime === undefined; round++) {
    const all = await running(world)
    failures += Math.floor(all.length / 5)
    await end(world, 'Failed', all.slice(0, Math.floor(all.length / 5)))
    await end(world, 'Succeeded', all.slice(Math.floor(all.length / 5)))
    await world.clock.advance(700_000)
  }
  assert.equal((await status(world))?.succeeded, 100)
  assert.equal((await status(world))?.failed, failures)
})

test('a pod that was adopted is counted as the others are', async () => {
  const labels = { work: 'x' }
  const spec = { restartPolicy: 'Never', containers: [{ name: 'c', image: 'a' }] }
  await using world = await startWorld(['job-controller'])
  await world.client.create(pods, { metadata: { namespace: 'default', name: 'found', labels }, spec })
  await world.client.create(jobs, {
    metadata: key,
    spec: {
      parallelism: 1,
      completions: 1,
      manualSelector: true,
      selector: { matchLabels: labels },
      template: { metadata: { labels }, spec },
    },
  })
  await world.clock.settle()
  const [pod, ...more] = await world.pods()
  assert.deepEqual(more, [])
  assert.deepEqual(pod?.metadata.finalizers, ['batch.kubernetes.io/job-tracking'])
  await end(world, 'Succeeded')
  assert.equal((await status(world))?.succeeded, 1)
  assert.deepEqual(await conditions(world), ['SuccessCriteriaMet CompletionsReached', 'Complete CompletionsReached'])
})
