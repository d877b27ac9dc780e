import assert from 'node:assert/strict'
import { test } from 'node:test'
import { created } from '../kinds.test-support.ts'
import type { Job } from '../generated/types/batch-v1.ts'
import { parseIndexes } from './indexes.ts'
import { scheduleError } from './cron-schedule.ts'

test('a Job selects its Pods by its own UID', () => {
  const { object, errors } = created<Job>({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'j', namespace: 'n' },
    spec: { template: { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'x' }] } } },
  })
  assert.deepEqual(errors, [])
  const uid = object.metadata?.uid
  assert.deepEqual(object.spec?.selector, { matchLabels: { 'batch.kubernetes.io/controller-uid': uid } })
  assert.deepEqual(object.spec?.template.metadata?.labels, {
    'batch.kubernetes.io/controller-uid': uid,
    'batch.kubernetes.io/job-name': 'j',
    'controller-uid': uid,
    'job-name': 'j',
  })
  assert.deepEqual(
    object.metadata?.labels,
    object.spec?.template.metadata?.labels,
    'a Job without labels has those of its Pods',
  )
  assert.equal(object.spec?.backoffLimit, 6)
})

test('indexes are rising intervals below the number of completions', () => {
  assert.deepEqual(parseIndexes('1,3-5,7', 8), {
    intervals: [
      [1, 1],
      [3, 5],
      [7, 7],
    ],
    total: 5,
  })
  assert.deepEqual(parseIndexes('', 8), { intervals: [], total: 0 })
  for (const wrong of ['3,1', '5-3', '1-2-3', 'x', '8']) assert.equal(typeof parseIndexes(wrong, 8), 'string', wrong)
})

test('schedules are read as upstream’s parser reads them', () => {
  for (const fine of ['* * * * *', '*/5 0-23/2 1,15 jan-dec mon', '@hourly', '@every 1h30m', '0 0 ? * *'])
    assert.equal(scheduleError(fine), undefined, fine)
  for (const wrong of ['', '* * * *', '60 * * * *', '* * 0 * *', '5-1 * * * *', '*/0 * * * *', '@often', '@every x'])
    assert.notEqual(scheduleError(wrong), undefined, wrong)
})

test('labels that are generated for the Pods of a Job without labels are the Job’s, too', () => {
  const { object } = created<Job>({
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'j', namespace: 'n' },
    spec: {
      template: {
        metadata: { labels: { app: 'x' } },
        spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'x' }] },
      },
    },
  })
  assert.equal(Object.keys(object.metadata?.labels ?? {}).length, 5)
  assert.deepEqual(object.metadata?.labels, object.spec?.template.metadata?.labels)
})
