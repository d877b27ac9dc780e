import assert from 'node:assert/strict'
import { test } from 'node:test'
import { changed, created } from '../kinds.test-support.ts'
import type { Deployment } from '../generated/types/apps-v1.ts'

const deployment = (spec: object = {}): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name: 'd', namespace: 'n' },
  spec: {
    selector: { matchLabels: { app: 'a' } },
    template: { metadata: { labels: { app: 'a' } }, spec: { containers: [{ name: 'c', image: 'x' }] } },
    ...spec,
  },
})

test('a Deployment rolls a quarter at a time unless it says otherwise', () => {
  const { object, errors } = created<Deployment>(deployment())
  assert.deepEqual(errors, [])
  assert.equal(object.spec?.replicas, 1)
  assert.deepEqual(object.spec?.strategy, {
    type: 'RollingUpdate',
    rollingUpdate: { maxUnavailable: '25%', maxSurge: '25%' },
  })
  assert.equal(object.spec?.revisionHistoryLimit, 10)
  assert.equal(object.spec?.progressDeadlineSeconds, 600)
})

test('the selector must match the template, and stays', () => {
  const { errors } = created(deployment({ selector: { matchLabels: { app: 'b' } } }))
  assert.deepEqual(errors, [
    'spec.template.metadata.labels: Invalid value: {"app":"a"}: `selector` does not match template `labels`',
  ])
  const { object } = created<Deployment>(deployment())
  const change = changed(object, ((draft: Deployment) => {
    draft.spec = { ...(draft.spec as NonNullable<Deployment['spec']>), selector: { matchLabels: {} } }
  }) as (object: never) => void)
  assert.ok(
    change.errors.some(
      (text) => text.startsWith('spec.selector: Invalid value') && text.endsWith('field is immutable'),
    ),
  )
})

test('a status update leaves labels alone', () => {
  const { object } = created<Deployment>(deployment())
  const { object: after } = changed(
    object,
    ((draft: Deployment) => Object.assign(draft.metadata, { labels: { a: 'b' } })) as (object: never) => void,
    'status',
  )
  assert.equal(after.metadata?.labels, undefined)
})
