import assert from 'node:assert/strict'
import { test } from 'node:test'
import { created } from '../kinds.test-support.ts'
import type { Service } from '../generated/types/core-v1.ts'

const service = (spec: object): object => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name: 's', namespace: 'n' },
  spec,
})

test('ports lead where they say, and to themselves when they say nothing', () => {
  const { object } = created<Service>(
    service({
      clusterIP: 'None',
      selector: { app: 'a' },
      ports: [{ port: 80 }, { name: 'admin', port: 81, targetPort: 'admin' }],
    }),
  )
  assert.deepEqual(
    object.spec?.ports?.map(({ targetPort, protocol }) => [targetPort, protocol]),
    [
      [80, 'TCP'],
      ['admin', 'TCP'],
    ],
  )
  assert.equal(object.spec?.type, 'ClusterIP')
  assert.equal(object.spec?.sessionAffinity, 'None')
})

test('several ports need names', () => {
  const { errors } = created(
    service({
      clusterIP: 'None',
      clusterIPs: ['None'],
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
      ports: [{ port: 80 }, { port: 81 }],
    }),
  )
  assert.deepEqual(errors, ['spec.ports[0].name: Required value', 'spec.ports[1].name: Required value'])
})
