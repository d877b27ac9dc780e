import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configMaps, pods, secrets, serviceAccounts } from '../../api/generated/resources.ts'
import { startWorld } from '../testing/world.ts'
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

/** Tokens of one service account, all old, after some days of a cleaner for which three days unused are enough. */
async function tokensAfter(days: number): Promise<string[]> {
  await using world = await startWorld(['legacy-serviceaccount-token-cleaner-controller'], {
    legacyServiceAccountTokenCleanUpPeriodMs: 3 * dayMs,
  })
  const { client, clock } = world
  const namespace = 'default'
  const names = ['unused', 'mounted', 'made-by-hand']
  const account = await client.create(serviceAccounts, {
    metadata: { namespace, name: 'robot' },
    secrets: names.slice(0, 2).map((name) => ({ name })),
  })
  for (const name of names) {
    const annotations = {
      'kubernetes.io/service-account.name': 'robot',
      'kubernetes.io/service-account.uid': account.metadata.uid ?? '',
    }
    await client.create(secrets, {
      metadata: { namespace, name, annotations },
      type: 'kubernetes.io/service-account-token',
    })
  }
  const volumes = [{ name: 'token', secret: { secretName: 'mounted' } }]
  const spec = { containers: [{ name: 'c', image: 'a' }], volumes }
  await client.create(pods, { metadata: { namespace, name: 'user' }, spec })
  const tracking = { namespace: 'kube-system', name: 'kube-apiserver-legacy-service-account-token-tracking' }
  const since = new Date(clock.now()).toISOString().slice(0, 10)
  await client.delete(configMaps, tracking).catch(() => undefined) // The API server may have made it already.
  await client.create(configMaps, { metadata: tracking, data: { since } })
  for (let day = 0; day < days; day++) await clock.advance(dayMs)
  const { items } = await client.list(secrets, { namespace })
  const marked = 'kubernetes.io/legacy-token-invalid-since'
  return items.map(({ metadata }) => `${metadata.name}${metadata.labels?.[marked] ? ' marked' : ''}`).sort()
}

for (const [days, want] of [
  [3, ['made-by-hand', 'mounted', 'unused']],
  [5, ['made-by-hand', 'mounted', 'unused marked']],
  [12, ['made-by-hand', 'mounted']],
] as const)
  test(`after ${days} days there are ${want.join(', ')}`, async () => assert.deepEqual(await tokensAfter(days), want))
