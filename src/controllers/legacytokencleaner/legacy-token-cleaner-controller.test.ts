import assert from 'node:assert/strict'
import { test } from 'node:test'
import { fateOf, type Fate } from './legacy-token-cleaner-controller.ts'

const dayMs = 86_400_000
const nowMs = Date.UTC(2026, 5, 1)
const cases: { name: string; createdDaysAgo: number; labels?: Record<string, string>; fate: Fate }[] = [
  { name: 'a young token is kept', createdDaysAgo: 100, fate: 'keep' },
  { name: 'one that was never used is marked', createdDaysAgo: 400, fate: 'mark' },
  {
    name: 'one that was used lately is kept',
    createdDaysAgo: 400,
    labels: { 'kubernetes.io/legacy-token-last-used': '2026-05-01' },
    fate: 'keep',
  },
  {
    name: 'one that was used long ago is marked',
    createdDaysAgo: 900,
    labels: { 'kubernetes.io/legacy-token-last-used': '2025-01-01' },
    fate: 'mark',
  },
  {
    name: 'one that was marked lately is kept',
    createdDaysAgo: 900,
    labels: { 'kubernetes.io/legacy-token-invalid-since': '2026-01-01' },
    fate: 'keep',
  },
  {
    name: 'one that was marked long ago is deleted',
    createdDaysAgo: 900,
    labels: { 'kubernetes.io/legacy-token-invalid-since': '2025-01-01' },
    fate: 'delete',
  },
]
for (const { name, createdDaysAgo, labels, fate } of cases) {
  test(name, () => {
    const secret = {
      metadata: {
        creationTimestamp: new Date(nowMs - createdDaysAgo * dayMs).toISOString(),
        ...(labels && { labels }),
      },
    }
    assert.equal(fateOf(secret, nowMs, 365 * dayMs), fate)
  })
}
