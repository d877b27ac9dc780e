import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Node } from '../../api/generated/types/core-v1.ts'
import { desiredRoutes } from './desired.ts'
import { routeChanges } from './kernel.ts'

const node = (name: string, podCIDR: string, address: string): Node => ({
  metadata: { name },
  spec: { podCIDR, podCIDRs: [podCIDR] },
  status: {
    addresses: [
      { type: 'Hostname', address: name },
      { type: 'InternalIP', address },
    ],
  },
})
const view = {
  nodeName: 'a',
  nodes: [node('a', '10.244.0.0/24', '10.0.0.1'), node('b', '10.244.1.0/24', '10.0.0.2')],
  clusterCidrs: ['10.244.0.0/16'],
  serviceCidrs: ['10.96.0.0/12'],
}

test('pods of other nodes are behind those nodes, other pods nowhere, Services on the node itself', () => {
  assert.deepEqual(desiredRoutes(view), [
    { kind: 'unreachable', destination: '10.244.0.0/16' },
    { kind: 'local', destination: '10.96.0.0/12', source: '10.0.0.1' },
    { kind: 'unicast', destination: '10.244.1.0/24', gateway: '10.0.0.2' },
  ])
})

test('a node without addresses or without a block has no route; a block that two nodes claim has one', () => {
  const nodes = [...view.nodes, { metadata: { name: 'c' } }, node('d', '10.244.1.0/24', '10.0.0.4')]
  assert.deepEqual(
    desiredRoutes({ ...view, nodes }).filter(({ kind }) => kind === 'unicast'),
    [{ kind: 'unicast', destination: '10.244.1.0/24', gateway: '10.0.0.2' }],
  )
})

test('each family has its own routes', () => {
  const dual: Node = {
    metadata: { name: 'b' },
    spec: { podCIDRs: ['10.244.1.0/24', 'fd00:244:1::/64'] },
    status: {
      addresses: [
        { type: 'InternalIP', address: '10.0.0.2' },
        { type: 'InternalIP', address: 'fd00::2' },
      ],
    },
  }
  assert.deepEqual(
    desiredRoutes({ ...view, nodes: [view.nodes[0]!, dual] })
      .filter(({ kind }) => kind === 'unicast')
      .map(({ gateway }) => gateway),
    ['10.0.0.2', 'fd00::2'],
  )
})

test('only what differs is changed', () => {
  const wanted = desiredRoutes(view)
  assert.deepEqual(routeChanges(wanted, wanted, 86), [])
  const found = [
    { kind: 'unicast', destination: '10.244.1.0/24', gateway: '10.0.0.9' },
    { kind: 'unicast', destination: '10.244.5.0/24', gateway: '10.0.0.9' },
    ...wanted.slice(0, 1),
  ] as const
  assert.deepEqual(routeChanges(found, wanted, 86), [
    'route delete 10.244.5.0/24 proto 86',
    'route replace local 10.96.0.0/12 dev lo table local src 10.0.0.1 proto 86',
    'route replace 10.244.1.0/24 via 10.0.0.2 proto 86',
  ])
})
