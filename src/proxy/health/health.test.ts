import assert from 'node:assert/strict'
import { test } from 'node:test'
import { VirtualClock } from '../../base/clock.ts'
import { silentLogger } from '../../base/log.ts'
import { Metrics } from '../../base/metrics.ts'
import type { Node } from '../../api/generated/types/core-v1.ts'
import { ProxyHealth } from './health.ts'
import { startProxyMetricsServer } from './metrics-server.ts'
import { startProxyHealthServer } from './proxy-server.ts'
import { listenHttp } from './server.ts'
import { ServiceHealthServers } from './service-servers.ts'

const anywhere = { host: '127.0.0.1', port: 0 }

test('/healthz follows the rules and the node, /livez the rules alone', async (t) => {
  const clock = new VirtualClock()
  const health = new ProxyHealth(clock, 60_000)
  const metrics = new Metrics()
  let node: Node | undefined = { metadata: { name: 'n' } }
  const server = await startProxyHealthServer({
    listen: anywhere,
    clock,
    health,
    families: ['ip'],
    node: () => node,
    healthz: metrics.counter('healthz', ''),
    livez: metrics.counter('livez', ''),
  })
  t.after(() => server.close())
  const get = async (path: string) => {
    const response = await fetch(`http://127.0.0.1:${server.port}${path}`)
    return [
      response.status,
      path === '/healthz' ? ((await response.json()) as { nodeEligible: boolean }).nodeEligible : undefined,
    ]
  }
  health.updated()
  assert.deepEqual(
    [await get('/healthz'), await get('/livez')],
    [
      [200, true],
      [200, undefined],
    ],
  )
  node = { ...node, spec: { taints: [{ key: 'ToBeDeletedByClusterAutoscaler', effect: 'NoSchedule' }] } }
  assert.deepEqual(
    [await get('/healthz'), await get('/livez')],
    [
      [503, false],
      [200, undefined],
    ],
  )
  health.queued()
  await clock.advance(59_000)
  assert.deepEqual(await get('/livez'), [200, undefined])
  await clock.advance(2000)
  assert.deepEqual(await get('/livez'), [503, undefined])
  health.updated()
  assert.deepEqual(await get('/livez'), [200, undefined])
  assert.match(metrics.text(), /healthz\{code="503"\} 1/)
})

test('a health check node port says how many endpoints the node has, moves with its Service, and goes with it', async (t) => {
  // A port that is free: taken, and given back.
  const free = await listenHttp(anywhere, (_request, response) => void response.end())
  await free.close()
  const servers = new ServiceHealthServers({
    log: silentLogger,
    health: new ProxyHealth(new VirtualClock(), 1000),
    host: '127.0.0.1',
  })
  t.after(() => servers.close())
  const check = { namespace: 'default', name: 'web', port: free.port, localEndpoints: 2 }
  const get = async () => {
    for (let attempt = 0; attempt < 50; attempt++) {
      const response = await fetch(`http://127.0.0.1:${free.port}/`).catch(() => undefined)
      if (response) return response
      await new Promise((resolve) => setTimeout(resolve, 10))
    }
    return undefined
  }
  servers.set('default/web', check)
  const first = await get()
  assert.deepEqual(
    [first?.status, first?.headers.get('x-load-balancing-endpoint-weight'), await first?.json()],
    [200, '2', { service: { namespace: 'default', name: 'web' }, localEndpoints: 2, serviceProxyHealthy: true }],
  )
  servers.set('default/web', { ...check, localEndpoints: 0 })
  assert.equal((await get())?.status, 503)
  servers.set('default/web', undefined)
  await servers.close()
  await assert.rejects(fetch(`http://127.0.0.1:${free.port}/`))
})

test('metrics, mode and health are served', async (t) => {
  const metrics = new Metrics()
  metrics.counter('some_total', 'Some.').add()
  const server = await startProxyMetricsServer(anywhere, metrics)
  t.after(() => server.close())
  const get = async (path: string) => (await fetch(`http://127.0.0.1:${server.port}${path}`)).text()
  assert.deepEqual(
    [await get('/proxyMode'), await get('/healthz'), (await get('/metrics')).includes('some_total 1')],
    ['nftables', 'ok', true],
  )
})
