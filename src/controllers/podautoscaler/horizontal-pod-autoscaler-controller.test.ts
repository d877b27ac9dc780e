import assert from 'node:assert/strict'
import { test } from 'node:test'
import { conflict } from '../../api/errors/api-error.ts'
import { deployments, events, horizontalPodAutoscalers } from '../../api/generated/resources.ts'
import type { PodSpec } from '../../api/generated/types/core-v1.ts'
import type { HorizontalPodAutoscalerSpec } from '../../api/generated/types/autoscaling-v2.ts'
import { timestamp } from '../../client/object.ts'
import { startWorld, type World } from '../testing/world.ts'
import { countForAverage } from './replica-count.ts'
import { limit } from './scaling-behavior.ts'

const key = { namespace: 'default', name: 'web' }
const labels = { app: 'web' }

interface Load {
  /** Millicores of each pod. */
  cpu: number
  down: boolean
  /** So many writes of the size come too late. */
  conflicts: number
}

async function start(
  spec: Partial<HorizontalPodAutoscalerSpec> = {},
  podSpec: Partial<PodSpec> = {},
  cpu = 50,
): Promise<World & { load: Load }> {
  const load: Load = { cpu, down: false, conflicts: 0 }
  const measured = async () => {
    if (load.down) throw new Error('the server is currently unable to handle the request')
    const items = (await world.pods()).map(({ metadata }) => ({
      metadata: { name: metadata.name },
      timestamp: timestamp(world.clock.now()),
      window: '30s',
      containers: [{ name: 'c', usage: { cpu: `${load.cpu}m` } }],
    }))
    return { items }
  }
  const world = await startWorld(
    ['horizontal-pod-autoscaler-controller', 'deployment-controller', 'replicaset-controller'],
    {
      refuse({ method, path }) {
        if (method === 'PUT' && path.endsWith('/scale') && load.conflicts-- > 0)
          throw conflict({ group: 'apps', plural: 'deployments' }, 'web')
      },
      answer: ({ path }) => (path.startsWith('/apis/metrics.k8s.io/') ? measured() : undefined),
    },
  )
  await world.client.create(deployments, {
    metadata: key,
    spec: {
      replicas: 2,
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: { containers: [{ name: 'c', image: 'a', resources: { requests: { cpu: '100m' } } }], ...podSpec },
      },
    },
  })
  await world.clock.settle()
  await world.runPods()
  await world.client.create(horizontalPodAutoscalers, {
    metadata: key,
    spec: {
      minReplicas: 1,
      maxReplicas: 10,
      scaleTargetRef: { apiVersion: 'apps/v1', kind: 'Deployment', name: 'web' },
      metrics: [
        { type: 'Resource', resource: { name: 'cpu', target: { type: 'Utilization', averageUtilization: 50 } } },
      ],
      ...spec,
    },
  })
  await run(world, 1)
  return Object.assign(world, { load })
}

/** So many looks, with new pods running at once. */
async function run(world: World, looks: number): Promise<void> {
  for (let i = 0; i < looks; i++) {
    await world.clock.advance(15_000)
    await world.runPods()
  }
}

const size = async (world: World) => (await world.client.get(deployments, key)).spec?.replicas
const condition = async (world: World, type: string) =>
  (await world.client.get(horizontalPodAutoscalers, key)).status?.conditions?.find((each) => each.type === type)

test('at the target nothing changes, and the status shows what was measured', async () => {
  await using world = await start()
  await run(world, 25)
  assert.equal(await size(world), 2)
  const { status } = await world.client.get(horizontalPodAutoscalers, key)
  assert.equal(status?.currentMetrics?.[0]?.resource?.current.averageUtilization, 50)
  assert.equal((await condition(world, 'ScalingActive'))?.reason, 'ValidMetricFound')
})

test('under load it grows, no faster than it may, up to its limit', async () => {
  await using world = await start()
  await run(world, 22)
  world.load.cpu = 100
  await run(world, 1)
  assert.equal(await size(world), 4)
  // The new pods' first samples are not trusted yet: they count as idle.
  await run(world, 1)
  assert.equal(await size(world), 4)
  await run(world, 8)
  assert.equal(await size(world), 10)
  assert.equal((await condition(world, 'ScalingLimited'))?.reason, 'TooManyReplicas')
  const told = (await world.client.list(events)).items.find(({ reason }) => reason === 'SuccessfulRescale')
  assert.match(
    told?.message ?? '',
    /^New size: 4; reason: cpu resource utilization \(percentage of request\) above target$/,
  )
})

test('without load it shrinks after five quiet minutes', async () => {
  await using world = await start()
  await run(world, 22)
  world.load.cpu = 5
  await run(world, 18)
  assert.equal(await size(world), 2)
  assert.equal((await condition(world, 'AbleToScale'))?.reason, 'ScaleDownStabilized')
  await run(world, 4)
  assert.equal(await size(world), 1)
})

test('an autoscaler that just began shrinks nothing for five minutes', async () => {
  await using world = await start({ minReplicas: 1 }, {}, 5)
  await run(world, 18)
  assert.equal(await size(world), 2)
  assert.equal((await condition(world, 'AbleToScale'))?.reason, 'ScaleDownStabilized')
  await run(world, 4)
  assert.equal(await size(world), 1)
})

test('when metrics fail it stays, and says why', async () => {
  await using world = await start()
  world.load.down = true
  await run(world, 3)
  assert.equal(await size(world), 2)
  const { reason, message } = (await condition(world, 'ScalingActive')) ?? {}
  const why =
    'failed to get cpu utilization: unable to get metrics for resource cpu: unable to fetch metrics from resource metrics API: the server is currently unable to handle the request'
  assert.equal(reason, 'FailedGetResourceMetric')
  assert.equal(message, `the HPA was unable to compute the replica count: ${why}`)
  const told = new Map((await world.client.list(events)).items.map((event) => [event.reason, event.message]))
  assert.equal(told.get('FailedGetResourceMetric'), why)
  assert.equal(
    told.get('FailedComputeMetricsReplicas'),
    `invalid metrics (1 invalid out of 1), first error is: failed to get cpu resource metric value: ${why}`,
  )
})

test('what a pod requests as a whole is what its use is measured by', async () => {
  await using world = await start({}, { resources: { requests: { cpu: '400m' } } })
  world.load.cpu = 200
  await run(world, 2)
  assert.equal(await size(world), 2)
})

test('a size that somebody else was faster than is written again at once', async () => {
  await using world = await start({ maxReplicas: 3 })
  world.load.cpu = 500
  world.load.conflicts = 2
  await run(world, 3)
  assert.equal(await size(world), 3)
  assert.ok((await world.client.list(events)).items.every(({ reason }) => reason !== 'FailedRescale'))
})

test('the limits hold without any metric', async () => {
  await using world = await start({ minReplicas: 5 })
  assert.equal(await size(world), 5)
})

const noHistory = () => ({ recommendations: [], ups: [], downs: [] })
const options = { hpaDownscaleStabilizationMs: 300_000 }
for (const [current, plain, withRules] of [
  [1, 4, 5],
  [3, 6, 7],
  [5, 10, 10],
] as const)
  test(`${current} grow to ${plain} at once, and to ${withRules} by the rules that are the default of \`behavior\``, () => {
    const spec = { maxReplicas: 100, scaleTargetRef: { kind: 'Deployment', name: 'web' } }
    const wish = { current, wanted: 50, nowMs: 0 }
    assert.equal(limit(spec, wish, noHistory(), options).replicas, plain)
    assert.equal(limit({ ...spec, behavior: {} }, wish, noHistory(), options).replicas, withRules)
  })

const groups = (ready: number, unready: number, missing: number) => {
  const names = (prefix: string, count: number) => Array.from({ length: count }, (_, i) => `${prefix}${i}`)
  return { ready: names('r', ready), unready: names('u', unready), missing: names('m', missing) }
}
const cases = [
  { name: 'twice the target doubles', ready: 2, unready: 0, missing: 0, use: 200, want: 4 },
  { name: 'half the target halves', ready: 4, unready: 0, missing: 0, use: 50, want: 2 },
  { name: 'near the target is good enough', ready: 3, unready: 0, missing: 0, use: 105, want: 3 },
  { name: 'unready pods count as idle when it would grow', ready: 1, unready: 2, missing: 0, use: 200, want: 3 },
  { name: 'missing pods count as full when it would shrink', ready: 2, unready: 0, missing: 2, use: 50, want: 3 },
]
for (const { name, ready, unready, missing, use, want } of cases) {
  test(name, () => {
    const all = groups(ready, unready, missing)
    const samples = new Map(all.ready.map((pod) => [pod, { milli: use, timeMs: 0, windowMs: 0 }]))
    assert.equal(
      countForAverage(
        { current: ready + unready + missing, groups: all, samples, tolerance: { up: 0.1, down: 0.1 } },
        () => 100,
        () => 100,
      ),
      want,
    )
  })
}
