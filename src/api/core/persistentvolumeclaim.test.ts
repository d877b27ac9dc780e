import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PersistentVolumeClaim } from '../generated/types/core-v1.ts'
import { created } from '../kinds.test-support.ts'

const claim = (dataSourceRef: object): object => ({
  apiVersion: 'v1',
  kind: 'PersistentVolumeClaim',
  metadata: { name: 'c', namespace: 'n' },
  spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } }, dataSourceRef },
})

test('what a volume begins with comes from its own namespace: a reference into another one is dropped', () => {
  const source = { kind: 'PersistentVolumeClaim', name: 'other' }
  const { object } = created<PersistentVolumeClaim>(claim(source))
  assert.deepEqual([object.spec?.dataSourceRef?.name, object.spec?.dataSource?.name], ['other', 'other'])
  const { object: foreign, errors } = created<PersistentVolumeClaim>(claim({ ...source, namespace: 'theirs' }))
  assert.deepEqual([foreign.spec?.dataSourceRef, foreign.spec?.dataSource, errors], [undefined, undefined, []])
})
