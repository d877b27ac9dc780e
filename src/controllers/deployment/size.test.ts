import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import type { Deployment, ReplicaSet } from '../../api/generated/types/apps-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { nameOf } from '../../client/object.ts'
import { sizeAnnotations } from './annotations.ts'
import {
  limitsOf,
  nextSizeOfCurrent,
  proportionalSizes,
  shrunkSizes,
  totalAvailable,
  totalWanted,
  wantedOf,
} from './size.ts'

type Set = Frozen<ReplicaSet>

const set = (
  name: string,
  replicas: number,
  available = replicas,
  noted?: { replicas: number; surge: number },
): Set => ({
  metadata: {
    name,
    uid: name,
    creationTimestamp: '2026-01-01T00:00:00Z',
    ...(noted && { annotations: sizeAnnotations(noted.replicas, noted.surge) }),
  },
  spec: { replicas, selector: {}, template: {} },
  status: { replicas, availableReplicas: available },
})

const deployment = (
  replicas: number,
  maxSurge: number | string,
  maxUnavailable: number | string,
): Frozen<Deployment> => ({
  metadata: { name: 'd' },
  spec: {
    replicas,
    selector: {},
    template: {},
    strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge, maxUnavailable } },
  },
})

const limits = [
  { replicas: 4, surge: '25%', unavailable: '25%', is: [1, 1] },
  { replicas: 10, surge: '25%', unavailable: '25%', is: [3, 2] },
  { replicas: 1, surge: '0%', unavailable: '1%', is: [0, 1] },
  { replicas: 3, surge: 1, unavailable: 0, is: [1, 0] },
  { replicas: 2, surge: 0, unavailable: 5, is: [0, 2] },
]
for (const { replicas, surge, unavailable, is } of limits) {
  test(`of ${replicas} pods a surge of ${surge} and ${unavailable} unavailable are ${is.join(' and ')}`, () => {
    const { surge: most, unavailable: least } = limitsOf(deployment(replicas, surge, unavailable))
    assert.deepEqual([most, least], is)
  })
}

const rollout = fc.record({
  replicas: fc.integer({ min: 1, max: 40 }),
  surge: fc.nat(10),
  unavailable: fc.nat(10),
  chance: fc.array(fc.nat(100), { minLength: 400, maxLength: 400 }),
})

test('whatever becomes available when, a rollout stays within its limits and ends', () => {
  fc.assert(
    fc.property(rollout, ({ replicas, surge, unavailable, chance }) => {
      const bounds = limitsOf(deployment(replicas, surge, unavailable))
      let current = set('new', 0)
      let old = set('old', replicas)
      for (const percent of chance) {
        const size = nextSizeOfCurrent(bounds, [old, current], wantedOf(current), true)
        const shrunk = size === wantedOf(current) ? shrunkSizes(bounds, current, [old]).get('old') : undefined
        if (shrunk !== undefined) old = set('old', shrunk)
        current = set('new', size, Math.min(current.status?.availableReplicas ?? 0, size))
        assert.ok(totalWanted([old, current]) <= replicas + bounds.surge)
        assert.ok(totalAvailable([old, current]) >= replicas - bounds.unavailable)
        // Some of the new pods come up.
        const waiting = wantedOf(current) - (current.status?.availableReplicas ?? 0)
        current = set(
          'new',
          wantedOf(current),
          (current.status?.availableReplicas ?? 0) + Math.ceil((waiting * percent) / 100),
        )
      }
      if (chance.filter((percent) => percent > 0).length > 350)
        assert.deepEqual([wantedOf(old), wantedOf(current)], [0, replicas])
    }),
    { numRuns: 60 },
  )
})

test('scaling in proportion uses exactly what is allowed', () => {
  fc.assert(
    fc.property(
      fc.array(fc.integer({ min: 1, max: 20 }), { minLength: 1, maxLength: 5 }),
      fc.integer({ min: 0, max: 60 }),
      fc.nat(5),
      (sizes, replicas, surge) => {
        const before = sizes.reduce((sum, size) => sum + size, 0)
        const sets = sizes.map((size, i) => set(`rs${i}`, size, size, { replicas: before, surge: 0 }))
        const next = proportionalSizes({ replicas, surge, unavailable: 0 }, before, sets)
        const total = [...next.values()].reduce((sum, size) => sum + size, 0)
        assert.equal(total, replicas === 0 ? 0 : replicas + surge)
        assert.ok([...next.values()].every((size) => size >= 0))
        assert.deepEqual([...next.keys()].sort(), sets.map(nameOf).sort())
      },
    ),
  )
})
