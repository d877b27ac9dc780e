import assert from 'node:assert/strict'
import { test } from 'node:test'
import { cronJobs, events, jobs } from '../../api/generated/resources.ts'
import type { CronJobSpec } from '../../api/generated/types/batch-v1.ts'
import { timestamp } from '../../client/object.ts'
import { startWorld, type World } from '../testing/world.ts'
import { parseSchedule } from './schedule.ts'

const key = { namespace: 'default', name: 'c' }

async function start(spec: Partial<CronJobSpec> = {}): Promise<World> {
  const world = await startWorld(['cronjob-controller'])
  await world.client.create(cronJobs, {
    metadata: key,
    spec: {
      schedule: '*/5 * * * *',
      timeZone: 'UTC',
      jobTemplate: {
        spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'a' }] } } },
      },
      ...spec,
    },
  })
  await world.clock.settle()
  return world
}

const names = async (world: World) => (await world.client.list(jobs)).items.map(({ metadata }) => metadata.name)
const minutes = (world: World, count: number) => world.clock.advance(count * 60_000 + 200)
const reasons = async (world: World) => (await world.client.list(events)).items.map(({ reason }) => reason)

async function finish(world: World): Promise<void> {
  const now = timestamp(world.clock.now())
  for (const job of (await world.client.list(jobs)).items)
    if (!job.status?.completionTime)
      await world.client.updateStatus(jobs, {
        ...job,
        status: {
          startTime: now,
          completionTime: now,
          conditions: [
            { type: 'SuccessCriteriaMet', status: 'True' },
            { type: 'Complete', status: 'True' },
          ],
        },
      })
  await world.clock.settle()
}

test('a Job is made at each time of the schedule, named after it', async () => {
  await using world = await start()
  const begin = world.clock.now() / 60_000
  await minutes(world, 4)
  assert.deepEqual(await names(world), [])
  await minutes(world, 6)
  assert.deepEqual(await names(world), [`c-${begin + 5}`, `c-${begin + 10}`])
  const { status } = await world.client.get(cronJobs, key)
  assert.equal(status?.active?.length, 2)
  assert.equal(status?.lastScheduleTime, timestamp((begin + 10) * 60_000))
})

test('with Forbid nothing starts while one runs', async () => {
  await using world = await start({ concurrencyPolicy: 'Forbid' })
  await minutes(world, 11)
  assert.equal((await names(world)).length, 1)
  assert.ok((await reasons(world)).includes('JobAlreadyActive'))
  await finish(world)
  await minutes(world, 5)
  assert.equal((await names(world)).length, 2)
})

test('with Replace the one that runs is deleted', async () => {
  await using world = await start({ concurrencyPolicy: 'Replace' })
  await minutes(world, 11)
  const [job, ...more] = await names(world)
  assert.deepEqual(more, [])
  const { status } = await world.client.get(cronJobs, key)
  assert.deepEqual(
    status?.active?.map(({ name }) => name),
    [job],
  )
  assert.equal((await reasons(world)).includes('MissingJob'), false)
})

test('only so many finished Jobs are kept', async () => {
  await using world = await start({ successfulJobsHistoryLimit: 2 })
  for (let i = 0; i < 5; i++) {
    await minutes(world, 5)
    await finish(world)
  }
  assert.equal((await names(world)).length, 2)
  const { status } = await world.client.get(cronJobs, key)
  assert.equal(status?.active?.length ?? 0, 0)
  assert.ok(status?.lastSuccessfulTime)
})

test('a suspended CronJob catches up with the last missed time only', async () => {
  await using world = await start({ suspend: true })
  await minutes(world, 60)
  assert.deepEqual(await names(world), [])
  await world.client.patch(cronJobs, key, { spec: { suspend: false } }, { type: 'merge' })
  await world.clock.settle()
  assert.equal((await names(world)).length, 1)
})

test('a time zone shifts the schedule, over daylight saving too', () => {
  const berlin = parseSchedule('30 8 * * *', 'Europe/Berlin')
  assert.equal(timestamp(berlin.next(Date.UTC(2026, 2, 28, 0))!), '2026-03-28T07:30:00Z')
  assert.equal(timestamp(berlin.next(Date.UTC(2026, 2, 29, 0))!), '2026-03-29T06:30:00Z')
})

const good = [
  '* * * * *',
  '*/15 0-6,12 1 JAN-MAR mon-fri',
  '@hourly',
  '@every 1h30m',
  '? ? * * ?',
  '5/10 * * * *',
  '0 0 31 2 *',
]
const bad = [
  '',
  '* * * *',
  '* * * * * *',
  '60 * * * *',
  '* * * * 7',
  '* * 0 * *',
  '5-1 * * * *',
  '*/0 * * * *',
  '@never',
  '@every x',
  'L * * * *',
  '0 0 L * *',
  '0 0 1W * *',
  '0 0 * * 1#2',
  'a * * * *',
]
for (const text of good) test(`"${text}" is a schedule`, () => void parseSchedule(text, 'UTC'))
for (const text of bad) test(`"${text}" is no schedule`, () => assert.throws(() => parseSchedule(text, 'UTC')))
