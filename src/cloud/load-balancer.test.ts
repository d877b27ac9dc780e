import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { TestContext } from 'node:test'
import { events, nodes, services } from '../api/generated/resources.ts'
import type { ServiceSpec } from '../api/generated/types/core-v1.ts'
import { VirtualClock } from '../base/clock.ts'
import { silentLogger } from '../base/log.ts'
import { Metrics } from '../base/metrics.ts'
import { seededRandom } from '../base/random.ts'
import { Informers } from '../client/informer/informers.ts'
import { componentUsers } from '../cluster/component-users.ts'
import { startTestApi } from '../../test/api.ts'
import type { LoadBalancerConfig } from './config.ts'
import { startLoadBalancer } from './load-balancer.ts'
import { addressesOf, parseRange, rangeHas } from './range.ts'

async function start(t: TestContext, config: Partial<LoadBalancerConfig> = {}) {
  const clock = new VirtualClock()
  const deps = { clock, random: seededRandom(1), log: silentLogger, metrics: new Metrics() }
  const api = await startTestApi(deps, { authorizationModes: ['RBAC'] })
  const { client } = api
  const node = (name: string, address: string) =>
    client.create(nodes, {
      metadata: { name },
      status: { addresses: [{ type: 'InternalIP', address }], conditions: [{ type: 'Ready', status: 'True' }] },
    })
  await node('node-1', '192.168.0.1')
  // As in the process of a cluster: caches are shared, writes are those of upstream's service account.
  const informers = new Informers({ deps, client: api.clientAs(componentUsers.controllerManager) })
  const provider = startLoadBalancer({
    ...deps,
    client: api.clientAs(componentUsers.controller('service-controller')),
    informers,
    config,
  })
  t.after(async () => {
    await provider.close()
    await informers.close()
    await api.close()
  })
  const create = (name: string, port: number, spec: ServiceSpec = {}) =>
    client.create(services, {
      metadata: { name, namespace: 'default' },
      spec: { type: 'LoadBalancer', ports: [{ port, protocol: 'TCP' }], ...spec },
    })
  const get = async (name: string) => client.get(services, { namespace: 'default', name })
  const ingress = async (name: string) => (await get(name)).status?.loadBalancer?.ingress?.map(({ ip }) => ip) ?? []
  const reasons = async (name: string) =>
    (await client.list(events)).items
      .filter(({ involvedObject }) => involvedObject.name === name)
      .map(({ reason }) => reason)
  const settle = () => clock.advance(2000)
  await settle()
  return { client, create, get, ingress, reasons, settle, node }
}

test("a Service gets the nodes' addresses, and gives them back in order", async (t) => {
  const { client, create, get, ingress, reasons, settle, node } = await start(t)
  await create('web', 80)
  await settle()
  assert.deepEqual((await get('web')).status?.loadBalancer, { ingress: [{ ip: '192.168.0.1', ipMode: 'VIP' }] })
  assert.deepEqual((await get('web')).metadata.finalizers, ['service.kubernetes.io/load-balancer-cleanup'])
  await node('node-2', '192.168.0.2')
  await settle()
  assert.deepEqual(await ingress('web'), ['192.168.0.1', '192.168.0.2'])
  await client.update(services, { ...(await get('web')), spec: { type: 'ClusterIP', ports: [{ port: 80 }] } })
  await settle()
  assert.deepEqual(await ingress('web'), [])
  assert.equal((await get('web')).metadata.finalizers, undefined)
  assert.deepEqual(await reasons('web'), [
    'EnsuringLoadBalancer',
    'EnsuredLoadBalancer',
    'UpdatedLoadBalancer',
    'DeletingLoadBalancer',
    'DeletedLoadBalancer',
  ])
})

test('deleting waits until the load balancer is gone', async (t) => {
  const { client, create, get, settle } = await start(t)
  await create('web', 80)
  await settle()
  await client.delete(services, { namespace: 'default', name: 'web' })
  await settle()
  await assert.rejects(get('web'), /not found/)
})

test('a port that another Service has is refused with an event, and given when it is free', async (t) => {
  const { client, create, ingress, reasons, settle } = await start(t)
  await create('first', 80)
  await settle()
  await create('second', 80)
  await create('other', 81)
  await create('api', 6443)
  await settle()
  assert.deepEqual(
    [await ingress('first'), await ingress('second'), await ingress('other'), await ingress('api')],
    [['192.168.0.1'], [], ['192.168.0.1'], []],
  )
  assert.ok((await reasons('second')).includes('SyncLoadBalancerFailed'))
  await client.delete(services, { namespace: 'default', name: 'first' })
  await settle()
  assert.deepEqual(await ingress('second'), ['192.168.0.1'])
})

test('ranges give each Service an address of its own, the wanted one where it can', async (t) => {
  const { create, ingress, settle } = await start(t, { addresses: ['172.20.0.10-172.20.0.11'] })
  await create('wants', 80, { loadBalancerIP: '172.20.0.10' })
  await settle()
  await create('any', 80)
  await create('none', 80)
  await create('wrong', 80, { loadBalancerIP: '9.9.9.9' })
  await settle()
  assert.deepEqual(
    [await ingress('wants'), await ingress('any'), await ingress('none'), await ingress('wrong')],
    [['172.20.0.10'], ['172.20.0.11'], [], []],
  )
})

test("Services of another class are somebody else's", async (t) => {
  const { create, get, settle } = await start(t)
  await create('theirs', 80, { loadBalancerClass: 'example.com/lb' })
  await create('ours', 81, { loadBalancerClass: 'kubernode.dev/load-balancer' })
  await settle()
  assert.equal((await get('theirs')).metadata.finalizers, undefined)
  assert.equal((await get('ours')).metadata.finalizers?.length, 1)
})

test('ranges are blocks without their ends, pairs, or single addresses', () => {
  assert.deepEqual([...addressesOf(parseRange('10.0.0.8/30'))], ['10.0.0.9', '10.0.0.10'])
  assert.deepEqual([...addressesOf(parseRange('fd00::ffff - fd00::1:1'))], ['fd00::ffff', 'fd00::1:0', 'fd00::1:1'])
  assert.deepEqual([...addressesOf(parseRange('10.0.0.255'))], ['10.0.0.255'])
  assert.equal(rangeHas(parseRange('10.0.0.0/24'), 'fd00::1'), false)
  for (const wrong of ['', 'x', '10.0.0.9-10.0.0.8', '10.0.0.1-fd00::1'])
    assert.throws(() => parseRange(wrong), Error, wrong)
})
