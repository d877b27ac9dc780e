// Two hours of a CronJob in a test that takes no real time.
import assert from 'node:assert/strict'
import test from 'node:test'
import { Cluster, cronJobs, jobs } from 'kubernode'

test('a CronJob runs every ten minutes and keeps the last three runs', async () => {
  await using cluster = await Cluster.start()
  await cluster.client.create(cronJobs, {
    metadata: { name: 'backup', namespace: 'default' },
    spec: {
      schedule: '*/10 * * * *',
      jobTemplate: {
        spec: {
          template: {
            spec: {
              restartPolicy: 'Never',
              containers: [{ name: 'backup', image: 'backup:1', command: ['sleep', '60'] }],
            },
          },
        },
      },
    },
  })

  await cluster.advance({ hours: 2 })

  const runs = (await cluster.client.list(jobs)).items
  assert.equal(runs.length, 3)
  assert.ok(runs.every((job) => job.status?.succeeded === 1))
})
