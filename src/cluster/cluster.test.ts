import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import { deployments, events, nodes, pods, secrets } from '../api/generated/resources.ts'
import type { Deployment } from '../api/generated/types/apps-v1.ts'
import { isForbidden } from '../api/errors/api-error.ts'
import { Cluster, type ClusterOptions } from './cluster.ts'

async function start(t: TestContext, options: ClusterOptions = {}): Promise<Cluster> {
  const cluster = await Cluster.start(options)
  t.after(() => cluster.stop())
  return cluster
}

const deployment = (name: string, replicas: number): Deployment => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace: 'default' },
  spec: {
    replicas,
    selector: { matchLabels: { app: name } },
    template: { metadata: { labels: { app: name } }, spec: { containers: [{ name: 'app', image: 'app:1' }] } },
  },
})

const placement = async (cluster: Cluster) =>
  (await cluster.client.list(pods)).items
    .filter((pod) => !pod.metadata.deletionTimestamp)
    .map((pod) => [pod.spec?.nodeName, pod.status?.phase] as const)
    .sort()

test('a Deployment runs, spread over the nodes', async (t) => {
  const cluster = await start(t, { nodes: 3 })
  await cluster.client.create(deployments, deployment('web', 3))
  const web = await cluster.until(
    deployments,
    { namespace: 'default', name: 'web' },
    (d) => d.status?.readyReplicas === 3,
  )
  assert.equal(web.status?.availableReplicas, 3)
  assert.deepEqual(await placement(cluster), [
    ['node-1', 'Running'],
    ['node-2', 'Running'],
    ['node-3', 'Running'],
  ])
})

test('Pods of a lost node are replaced after the toleration of five minutes', async (t) => {
  const cluster = await start(t, { nodes: 2 })
  await cluster.client.create(deployments, deployment('web', 2))
  await cluster.until(deployments, { namespace: 'default', name: 'web' }, (d) => d.status?.readyReplicas === 2)
  await cluster.node('node-1').stop()
  await cluster.advance({ minutes: 7 })
  assert.deepEqual(await placement(cluster), [
    ['node-2', 'Running'],
    ['node-2', 'Running'],
  ])
})

test('the same seed gives the same names', async (t) => {
  const names = async () => {
    const cluster = await start(t, { seed: 7 })
    await cluster.client.create(deployments, deployment('web', 2))
    await cluster.settled()
    return (await cluster.client.list(pods)).items.map((pod) => pod.metadata.name)
  }
  assert.deepEqual(await names(), await names())
})

test('a Pod that fits nowhere says why', async (t) => {
  const cluster = await start(t)
  const huge = deployment('huge', 1)
  huge.spec!.template.spec!.containers[0]!.resources = { requests: { cpu: '1000' } }
  await cluster.client.create(deployments, huge)
  await cluster.advance({ seconds: 1 })
  const told = (await cluster.client.list(events)).items.find(({ reason }) => reason === 'FailedScheduling')
  assert.match(told?.message ?? '', /^0\/1 nodes are available: 1 Insufficient cpu\./)
})

test('access rules hold for clients of other users', async (t) => {
  const cluster = await start(t)
  await assert.rejects(cluster.clientFor({ name: 'alice' }).list(secrets), isForbidden)
})

test('a container’s log is what its command says', async (t) => {
  const cluster = await start(t)
  const key = { namespace: 'default', name: 'talk' }
  await cluster.client.create(pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: key,
    spec: {
      restartPolicy: 'Never',
      containers: [{ name: 'app', image: 'app:1', command: ['sh', '-c', 'echo one; sleep 2m; echo two'] }],
    },
  })
  await cluster.advance({ seconds: 30 })
  const log = () => cluster.client.getSubresource<string>(pods, key, 'log')
  assert.equal(await log(), 'one\n')
  await cluster.advance({ minutes: 3 })
  assert.equal(await log(), 'one\ntwo\n')
})

test('what a test breaks is met as on a real node: a container that ends starts again, a runtime that is down makes its node not ready', async (t) => {
  const cluster = await start(t)
  await cluster.client.create(deployments, deployment('web', 1))
  await cluster.until(deployments, { namespace: 'default', name: 'web' }, (d) => d.status?.readyReplicas === 1)
  const { runtime } = cluster.node('node-1')
  runtime.exit((await runtime.listContainers())[0]!.id, 1)
  await cluster.advance({ minutes: 1 })
  const [pod] = (await cluster.client.list(pods)).items
  assert.equal(pod?.status?.containerStatuses?.[0]?.restartCount, 1)

  const ready = async () => {
    const [node] = (await cluster.client.list(nodes)).items
    return node?.status?.conditions?.find(({ type }) => type === 'Ready')?.status
  }
  runtime.fault = 'out of order'
  await cluster.advance({ minutes: 2 })
  assert.equal(await ready(), 'False')
  runtime.fault = undefined
  await cluster.advance({ minutes: 2 })
  assert.equal(await ready(), 'True')
})
