import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { timestamp } from '../../client/object.ts'
import { rankForDeletion } from './deletion-ranking.ts'

const nowMs = Date.UTC(2026, 0, 2)

interface Made {
  name?: string
  node?: string
  phase?: string
  /** Minutes. */
  readyFor?: number
  age?: number
  cost?: string
  restarts?: number
}

function pod({ name = 'p', node = 'n', phase = 'Running', readyFor, age = 60, cost, restarts = 0 }: Made): Frozen<Pod> {
  return {
    metadata: {
      name,
      uid: name,
      creationTimestamp: timestamp(nowMs - age * 60_000),
      ...(cost !== undefined && { annotations: { 'controller.kubernetes.io/pod-deletion-cost': cost } }),
    },
    spec: { containers: [], ...(node && { nodeName: node }) },
    status: {
      phase,
      containerStatuses: [{ name: 'c', image: '', imageID: '', ready: true, restartCount: restarts }],
      ...(readyFor !== undefined && {
        conditions: [{ type: 'Ready', status: 'True', lastTransitionTime: timestamp(nowMs - readyFor * 60_000) }],
      }),
    },
  }
}

const cases: { name: string; first: Made; second: Made; related?: Made[] }[] = [
  { name: 'a pod without a node goes before one with', first: { node: '' }, second: { phase: 'Pending' } },
  { name: 'a pending pod goes before a running one', first: { phase: 'Pending' }, second: {} },
  { name: 'a pod that is not ready goes before one that is', first: {}, second: { readyFor: 1 } },
  { name: 'a cheap pod goes before a dear one', first: { readyFor: 50, cost: '-1' }, second: { readyFor: 1 } },
  {
    name: 'a cost that is no integer counts as none',
    first: { readyFor: 1, cost: '1.5' },
    second: { readyFor: 50, cost: '0' },
  },
  {
    name: 'a pod on a crowded node goes first',
    first: { readyFor: 50, node: 'a' },
    second: { readyFor: 1, node: 'b' },
    related: [
      { name: 'x', node: 'a' },
      { name: 'y', node: 'a' },
      { name: 'z', node: 'b' },
    ],
  },
  {
    name: 'a pod that is ready since lately goes before one that is since long',
    first: { readyFor: 1 },
    second: { readyFor: 50 },
  },
  { name: 'a pod that restarts often goes first', first: { restarts: 3, age: 500 }, second: { restarts: 1, age: 1 } },
  { name: 'a young pod goes before an old one', first: { age: 1 }, second: { age: 500 } },
]
for (const { name, first, second, related = [] } of cases) {
  test(name, () => {
    const [a, b] = [pod({ name: 'b', ...first }), pod({ name: 'a', ...second })]
    assert.deepEqual(rankForDeletion([b, a], related.map(pod), nowMs), [a, b])
  })
}

test('the order does not depend on the order before', () => {
  const made = fc.record({
    node: fc.constantFrom('', 'a', 'b'),
    phase: fc.constantFrom('Pending', 'Running'),
    readyFor: fc.option(fc.nat(1000), { nil: undefined }),
    age: fc.nat(2000),
    cost: fc.constantFrom('0', '1', '-5'),
    restarts: fc.nat(3),
  })
  fc.assert(
    fc.property(fc.array(made, { maxLength: 12 }), fc.nat(), (list, turn) => {
      const pods = list.map(({ readyFor, ...rest }, i) =>
        pod({ ...rest, ...(readyFor !== undefined && { readyFor }), name: `p${i}` }),
      )
      const at = pods.length === 0 ? 0 : turn % pods.length
      const turned = [...pods.slice(at), ...pods.slice(0, at)]
      assert.deepEqual(rankForDeletion(pods, pods, nowMs), rankForDeletion(turned, pods, nowMs))
    }),
  )
})
