import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { request, type RequestOptions } from 'node:https'
import test, { type TestContext } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { clusterRoleBindings } from '../api/generated/resources.ts'
import { startApiServer } from '../apiserver/apiserver.ts'
import { VirtualClock } from '../base/clock.ts'
import { silentLogger } from '../base/log.ts'
import { Metrics } from '../base/metrics.ts'
import { realRandom, seededRandom } from '../base/random.ts'
import { newClient } from '../client/client.ts'
import { issue, newAuthority } from '../cluster/pki/certificate.ts'
import { openMemoryStore } from '../store/memory/memory-store.ts'
import { startComponentServer, type ComponentServerOptions } from './component-server.ts'

interface Answer {
  readonly code: number
  readonly text: string
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly serial: string
}

const tokens = 'admin-token,admin,1,"system:masters"\njane-token,jane,2,"devs"\nmonitor-token,prometheus,3,"monitors"\n'

async function start(t: TestContext, more: Partial<ComponentServerOptions> = {}) {
  const clock = new VirtualClock(Date.now())
  const deps = { clock, random: seededRandom(1), log: silentLogger, metrics: new Metrics() }
  const api = await startApiServer({ ...deps, store: openMemoryStore(deps), tokenAuthFile: tokens, freeze: true })
  const scheduler = newClient(api.transport({ name: 'system:kube-scheduler', groups: ['system:authenticated'] }))
  const admin = newClient(api.transport({ name: 'admin', groups: ['system:masters'] }))
  const made = { clock, random: realRandom }
  const authority = await newAuthority('kubernetes', 1, made)
  const pairOf = () =>
    issue(authority, { commonName: 'kube-scheduler', usage: 'server', hosts: ['127.0.0.1'], validDays: 1 }, made)
  const world = { asked: 0, pair: await pairOf(), fault: undefined as string | undefined }
  const metrics = new Metrics()
  metrics.counter('scheduler_pods_total', 'Pods').add()
  const server = await startComponentServer({
    ...deps,
    metrics,
    host: '127.0.0.1',
    port: 0,
    serving: () => Promise.resolve((world.asked++, world.pair)),
    clientCa: () => authority.cert,
    authentication: scheduler,
    authorization: scheduler,
    health: {
      healthz: () => [{ name: 'leaderElection', fault: () => world.fault }],
      livez: () => [],
      readyz: () => [{ name: 'sched-handler-sync', fault: () => world.fault }],
    },
    configz: () => ({ componentconfig: { Parallelism: 16 } }),
    ...more,
  })
  t.after(async () => {
    await server.close()
    await api.close()
  })
  const get = (path: string, { token, ...options }: RequestOptions & { token?: string } = {}): Promise<Answer> =>
    new Promise((resolve, reject) => {
      request(
        {
          host: '127.0.0.1',
          port: server.port,
          ca: authority.cert,
          agent: false,
          path,
          ...(token && { headers: { authorization: `Bearer ${token}` } }),
          ...options,
        },
        (response) => {
          let text = ''
          const serial = new X509Certificate((response.socket as TLSSocket).getPeerCertificate().raw).serialNumber
          response
            .on('data', (chunk: Buffer) => (text += chunk.toString()))
            .on('end', () => resolve({ code: response.statusCode!, text, headers: response.headers, serial }))
        },
      )
        .on('error', reject)
        .end()
    })
  return { clock, world, get, admin, authority, made, pairOf }
}

test('health is shown to everybody, with the texts that upstream has', async (t) => {
  const { get, world } = await start(t)
  assert.deepEqual(
    [(await get('/healthz')).text, (await get('/livez?verbose')).text, (await get('/readyz?verbose')).text],
    ['ok', '[+]ping ok\nlivez check passed\n', '[+]sched-handler-sync ok\nreadyz check passed\n'],
  )
  assert.equal((await get('/healthz')).headers['cache-control'], 'no-cache, private')
  world.fault = 'failed election to renew leadership on lease kube-scheduler'
  assert.deepEqual(pick(await get('/healthz')), {
    code: 500,
    text: '[-]leaderElection failed: reason withheld\nhealthz check failed\n',
  })
  assert.equal(
    (await get('/healthz?exclude=leaderElection&exclude=none&verbose')).text,
    '[+]leaderElection excluded: ok\nwarn: some health checks cannot be excluded: no matches for "none"\nhealthz check passed\n',
  )
  assert.equal((await get('/livez')).code, 200)
  assert.deepEqual(pick(await get('/healthz/leaderElection', { token: 'admin-token' })), {
    code: 500,
    text: `internal server error: ${world.fault}`,
  })
  assert.match(
    (await get('/metrics/slis', { token: 'admin-token' })).text,
    /kubernetes_healthcheck\{name="leaderElection",type="healthz"\} 0/,
  )
})

test('everything else is for whom the API server lets see it', async (t) => {
  const { get, admin, clock } = await start(t)
  const forbidden = (user: string, path: string) => ({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `forbidden: User "${user}" cannot get path "${path}"`,
    reason: 'Forbidden',
    details: {},
    code: 403,
  })
  assert.deepEqual(JSON.parse((await get('/metrics')).text), forbidden('system:anonymous', '/metrics'))
  assert.deepEqual(
    JSON.parse((await get('/healthz/leaderElection')).text),
    forbidden('system:anonymous', '/healthz/leaderElection'),
  )
  assert.deepEqual(JSON.parse((await get('/configz', { token: 'jane-token' })).text), forbidden('jane', '/configz'))
  assert.deepEqual(JSON.parse((await get('/healthz', { token: 'wrong' })).text), {
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: 'Unauthorized',
    reason: 'Unauthorized',
    code: 401,
  })
  assert.equal((await get('/metrics', { token: 'monitor-token' })).code, 403)
  await admin.create(clusterRoleBindings, {
    metadata: { name: 'monitors' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:monitoring' },
    subjects: [{ kind: 'Group', apiGroup: 'rbac.authorization.k8s.io', name: 'monitors' }],
  })
  assert.equal((await get('/metrics', { token: 'monitor-token' })).code, 403, 'an answer is remembered for 10 s')
  await clock.advance(10_001)
  assert.match((await get('/metrics', { token: 'monitor-token' })).text, /^scheduler_pods_total 1$/m)
  assert.deepEqual(JSON.parse((await get('/configz', { token: 'admin-token' })).text), {
    componentconfig: { Parallelism: 16 },
  })
  assert.deepEqual(pick(await get('/nothing', { token: 'admin-token' })), { code: 404, text: '404 page not found\n' })
})

test('a client certificate of the cluster’s authority is a user, one of another is nobody', async (t) => {
  const { get, authority, made } = await start(t)
  const masters = await issue(
    authority,
    { commonName: 'admin', organizations: ['system:masters'], usage: 'client', validDays: 1 },
    made,
  )
  assert.equal((await get('/metrics', { ...masters })).code, 200)
  const stranger = await issue(
    await newAuthority('kubernetes', 1, made),
    { commonName: 'admin', organizations: ['system:masters'], usage: 'client', validDays: 1 },
    made,
  )
  assert.equal((await get('/metrics', { ...stranger })).code, 401)
})

test('without kubeconfigs nobody is known and only health is shown', async (t) => {
  const { get } = await start(t, { authentication: undefined, authorization: undefined, clientCa: undefined })
  assert.equal((await get('/healthz', { token: 'admin-token' })).code, 200)
  assert.match((await get('/metrics', { token: 'admin-token' })).text, /system:anonymous/)
})

test('no certificate is asked for before somebody connects, and a renewed one is taken with the next connection', async (t) => {
  const { get, world, pairOf } = await start(t)
  assert.equal(world.asked, 0)
  const first = (await get('/healthz')).serial
  assert.equal((await get('/healthz')).serial, first)
  world.pair = await pairOf()
  assert.notEqual((await get('/healthz')).serial, first)
})

const pick = ({ code, text }: Answer) => ({ code, text })
