import assert from 'node:assert/strict'
import { test } from 'node:test'
import { kindDefinitions } from '../../api/kinds.ts'
import { newKindTable } from '../../api/table.ts'
import type { Deletion } from '../request/options.ts'
import { planOf } from './deletion-plan.ts'

const table = newKindTable(kindDefinitions)
const kind = (group: string, version: string, plural: string) => table.byResource(group, version, plural)!
const nowMs = Date.UTC(2026, 0, 1)
const plain: Deletion = {
  gracePeriodSeconds: undefined,
  orphanDependents: undefined,
  propagationPolicy: undefined,
  uid: undefined,
  resourceVersion: undefined,
  dryRun: false,
}

for (const [name, resource, finalizers, deletion, want] of [
  ['nothing is kept', ['', 'v1', 'configmaps'], undefined, {}, 'remove'],
  ['a finalizer keeps it', ['', 'v1', 'configmaps'], ['a/b'], {}, ['a/b']],
  [
    'orphaning keeps it for the collector',
    ['', 'v1', 'configmaps'],
    undefined,
    { propagationPolicy: 'Orphan' },
    ['orphan'],
  ],
  [
    'foreground keeps it for the collector',
    ['', 'v1', 'configmaps'],
    ['a/b'],
    { propagationPolicy: 'Foreground' },
    ['a/b', 'foregroundDeletion'],
  ],
  [
    'background takes an earlier policy back',
    ['', 'v1', 'configmaps'],
    ['orphan'],
    { propagationPolicy: 'Background' },
    'remove',
  ],
  ['an earlier policy stays otherwise', ['', 'v1', 'configmaps'], ['foregroundDeletion'], {}, ['foregroundDeletion']],
  ['jobs orphan unless told otherwise', ['batch', 'v1', 'jobs'], undefined, {}, ['orphan']],
  ['jobs do not when told so', ['batch', 'v1', 'jobs'], undefined, { propagationPolicy: 'Background' }, 'remove'],
  ['nobody collects what events own', ['', 'v1', 'events'], undefined, { propagationPolicy: 'Orphan' }, 'remove'],
] as const) {
  test(`deletion: ${name}`, () => {
    const [group, version, plural] = resource
    const object = { metadata: { name: 'x', ...(finalizers && { finalizers: [...finalizers] }) } }
    const plan = planOf(kind(group, version, plural), object, { ...plain, ...deletion }, nowMs)
    assert.deepEqual(plan.step === 'mark' ? plan.draft.metadata.finalizers : plan.step, want)
  })
}

test('deletion: a grace period that is over is cut to the least', () => {
  const metadata = { name: 'p', deletionTimestamp: '2025-12-31T23:59:50Z', deletionGracePeriodSeconds: 60 }
  const plan = planOf(
    kind('', 'v1', 'pods'),
    { metadata, spec: { nodeName: 'n' } } as object,
    { ...plain, gracePeriodSeconds: 10 },
    nowMs,
  )
  assert.ok(plan.step === 'mark')
  assert.deepEqual(
    [plan.draft.metadata.deletionTimestamp, plan.draft.metadata.deletionGracePeriodSeconds],
    ['2026-01-01T00:00:00Z', 1],
  )
})
