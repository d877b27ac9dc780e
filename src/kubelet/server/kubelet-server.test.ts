import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type AddressInfo } from 'node:net'
import { request, type RequestOptions } from 'node:https'
import { connect } from 'node:tls'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { VirtualClock } from '../../base/clock.ts'
import { silentLogger } from '../../base/log.ts'
import { Metrics } from '../../base/metrics.ts'
import { realRandom, seededRandom } from '../../base/random.ts'
import type { Client } from '../../client/client.ts'
import { issue, newAuthority, type KeyPair } from '../../cluster/pki/certificate.ts'
import type { ContainerRuntime } from '../../runtime/runtime.ts'
import type { Kubelet } from '../kubelet.ts'
import { actionOf } from './access/authorization.ts'
import { loggingContainer } from './endpoints/container-logs.ts'
import { startKubeletServer } from './kubelet-server.ts'
import { findRoute } from './routes.ts'

for (const [method, path, verb, ...subresources] of [
  ['GET', '/pods', 'get', 'pods', 'proxy'],
  ['GET', '/runningpods/', 'get', 'pods', 'proxy'],
  ['GET', '/healthz', 'get', 'healthz', 'proxy'],
  ['GET', '/configz', 'get', 'configz', 'proxy'],
  ['GET', '/stats/summary', 'get', 'stats'],
  ['GET', '/metrics/resource', 'get', 'metrics'],
  ['GET', '/metricsandmore', 'get', 'proxy'],
  ['GET', '/logs/syslog', 'get', 'log'],
  ['GET', '/containerLogs/a/b/c', 'get', 'proxy'],
  ['POST', '/exec/a/b/c', 'create', 'proxy'],
] as const) {
  test(`${method} ${path} takes ${verb} of nodes/${subresources.join(' or ')}`, () =>
    assert.deepEqual(actionOf(method, path), { verb, subresources }))
}

test('paths are taken apart, with the pod’s UID or without', () => {
  assert.deepEqual((findRoute('GET', '/exec/ns/web/main') as { params: object }).params, {
    namespace: 'ns',
    pod: 'web',
    container: 'main',
  })
  assert.deepEqual((findRoute('POST', '/exec/ns/web/u1/main') as { params: object }).params, {
    namespace: 'ns',
    pod: 'web',
    uid: 'u1',
    container: 'main',
  })
  assert.deepEqual((findRoute('GET', '/logs/a%20b/c') as { params: object }).params, { path: 'a b/c' })
  assert.equal(findRoute('DELETE', '/pods'), 'method')
  assert.equal(findRoute('GET', '/nothing'), undefined)
})

type Status = NonNullable<NonNullable<Pod['status']>['containerStatuses']>[number]
const podWith = (status: Partial<Status> | undefined): Frozen<Pod> => ({
  metadata: { name: 'web', namespace: 'default', uid: 'u1' },
  spec: { containers: [{ name: 'main' }] },
  status: {
    phase: 'Running',
    ...(status && {
      containerStatuses: [{ name: 'main', image: '', imageID: '', ready: true, restartCount: 0, ...status }],
    }),
  },
})
const ended = (containerID: string) => ({ terminated: { containerID, exitCode: 1 } })

for (const [what, status, previous, want] of [
  ['that runs', { containerID: 'containerd://a', state: { running: {} } }, false, 'containerd://a'],
  ['that has ended', { state: ended('containerd://a') }, false, 'containerd://a'],
  [
    'that waits after a crash',
    { state: { waiting: { reason: 'CrashLoopBackOff' } }, lastState: ended('containerd://b') },
    false,
    'containerd://b',
  ],
  [
    'before this one',
    { containerID: 'containerd://a', state: { running: {} }, lastState: ended('containerd://b') },
    true,
    'containerd://b',
  ],
  [
    'before this one, without one',
    { state: { running: {} } },
    true,
    'previous terminated container "main" in pod "web" not found',
  ],
  [
    'whose image is not there',
    { state: { waiting: { reason: 'ErrImagePull' } } },
    false,
    'container "main" in pod "web" is waiting to start: image can\'t be pulled',
  ],
  [
    'that is being made',
    { state: { waiting: { reason: 'ContainerCreating' } } },
    false,
    'container "main" in pod "web" is waiting to start: ContainerCreating',
  ],
  ['without a status', undefined, false, 'container "main" in pod "web" is not available'],
] as const) {
  test(`the log is that of the container ${what}`, () => {
    const pod = podWith(status as Partial<Status> | undefined)
    if (want.startsWith('containerd://')) assert.equal(loggingContainer(pod, 'main', previous), want)
    else assert.throws(() => loggingContainer(pod, 'main', previous), { message: want, code: 400 })
  })
}

interface World {
  readonly clock: VirtualClock
  /** What the runtime says of the container. */
  readonly container: { state: 'CONTAINER_RUNNING' | 'CONTAINER_EXITED' }
  get(path: string, options?: RequestOptions): Promise<{ readonly code: number; readonly text: string }>
  readonly admin: KeyPair
  readonly reviews: object[]
  /** Another certificate of the same authority, which the server now has. */
  renew(): Promise<KeyPair>
  /** The socket after the switch, with what came first. */
  upgrade(path: string): Promise<string>
  /** Of the certificate that the server shows. */
  serial(): Promise<string>
}

/** A server of a kubelet with one pod, whose runtime's streaming server says what it was asked and then the same again in capitals. */
async function start(t: TestContext): Promise<World> {
  const clock = new VirtualClock(Date.now())
  const deps = { clock, random: seededRandom(1), log: silentLogger, metrics: new Metrics() }
  const made = { clock, random: realRandom }
  const authority = await newAuthority('kubernetes', 1, made)
  const serving = await issue(
    authority,
    { commonName: 'node', usage: 'server', hosts: ['127.0.0.1'], validDays: 1 },
    made,
  )
  const admin = await issue(
    authority,
    { commonName: 'admin', organizations: ['system:masters'], usage: 'client', validDays: 1 },
    made,
  )
  const folder = mkdtempSync(join(tmpdir(), 'kubernode-kubelet-'))
  writeFileSync(join(folder, '0.log'), '2026-01-31T09:00:00Z stdout F hello\n')
  const streaming = createServer(
    (socket) =>
      void socket.once('data', (chunk: Buffer) =>
        socket.end(
          `HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: SPDY/3.1\r\n\r\n${chunk.toString().split('\r\n')[0]}`,
        ),
      ),
  )
  await new Promise<void>((resolve) => streaming.listen(0, '127.0.0.1', resolve))
  const reviews: { spec: { user?: string; token?: string } }[] = []
  const client = {
    async create(_resource: unknown, object: { spec: { user?: string; token?: string } }) {
      reviews.push(object)
      const { token, user } = object.spec
      if (token !== undefined)
        return {
          ...object,
          status: token === 'good' ? { authenticated: true, user: { username: 'somebody', groups: ['g'] } } : {},
        }
      return { ...object, status: { allowed: user === 'admin' } }
    },
  } as unknown as Client
  const pod = podWith({ containerID: 'containerd://c1', state: { running: {} } })
  const kubelet = {
    nodeName: 'node-1',
    pod: ({ name }: { name: string }) => (name === 'web' ? pod : undefined),
    pods: () => [pod],
    fault: () => undefined,
    execUrl: async (_key: object, container: string, command: readonly string[]) => {
      if (container !== 'main') throw new Error(`container not found ("${container}")`)
      return `http://127.0.0.1:${(streaming.address() as AddressInfo).port}/exec/${command.join('+')}`
    },
  } as unknown as Kubelet
  const container: World['container'] = { state: 'CONTAINER_RUNNING' }
  const runtime = {
    containerStatus: async () => ({ ...container, logPath: join(folder, '0.log') }),
  } as unknown as ContainerRuntime
  const server = await startKubeletServer({
    ...deps,
    kubelet,
    runtime,
    client,
    host: '127.0.0.1',
    port: 0,
    serving,
    clientCa: authority.cert,
  })
  t.after(async () => {
    await server.close()
    streaming.close()
    rmSync(folder, { recursive: true })
  })
  const options = { host: '127.0.0.1', port: server.port, ca: authority.cert, agent: false } as const
  return {
    clock,
    container,
    admin,
    reviews,
    async renew() {
      const pair = await issue(
        authority,
        { commonName: 'node', usage: 'server', hosts: ['127.0.0.1'], validDays: 1 },
        made,
      )
      server.setServing(pair)
      return pair
    },
    serial: () =>
      new Promise((resolve, reject) => {
        const socket = connect({ host: '127.0.0.1', port: server.port, ca: authority.cert }, () => {
          resolve(socket.getPeerX509Certificate()!.serialNumber)
          socket.destroy()
        }).on('error', reject)
      }),
    get: (path, more = {}) =>
      new Promise((resolve, reject) => {
        request({ ...options, path, ...more }, (response) => {
          let text = ''
          response
            .on('data', (chunk: Buffer) => (text += chunk.toString()))
            .on('end', () => resolve({ code: response.statusCode!, text }))
        })
          .on('error', reject)
          .end()
      }),
    upgrade: (path) =>
      new Promise((resolve, reject) => {
        request({ ...options, path, method: 'POST', ...admin, headers: { connection: 'Upgrade', upgrade: 'SPDY/3.1' } })
          .on('upgrade', (_response, socket, head) => {
            let text = head.toString()
            socket.on('data', (chunk: Buffer) => (text += chunk.toString())).on('end', () => resolve(text))
          })
          .on('response', (response) =>
            response.on('data', (chunk: Buffer) => resolve(`${response.statusCode} ${chunk.toString()}`)),
          )
          .on('error', reject)
          .end()
      }),
  }
}

test('who has no credentials is refused, who has no right too, and each is asked about once', async (t) => {
  const { get, reviews } = await start(t)
  assert.deepEqual(await get('/pods'), { code: 401, text: 'Unauthorized' })
  assert.equal((await get('/pods', { headers: { authorization: 'Bearer bad' } })).code, 401)
  const forbidden = {
    code: 403,
    text: 'Forbidden (user=somebody, verb=get, resource=nodes, subresource(s)=[pods proxy])',
  }
  for (let i = 0; i < 2; i++)
    assert.deepEqual(await get('/pods', { headers: { authorization: 'Bearer good' } }), forbidden)
  assert.equal(reviews.length, 4, 'two tokens, two subresources')
})

test('a client certificate of the cluster reads pods and logs', async (t) => {
  const { get, admin } = await start(t)
  assert.equal((await get('/healthz', { ...admin })).text, 'ok')
  assert.equal(
    (JSON.parse((await get('/pods', { ...admin })).text) as { items: Pod[] }).items[0]!.metadata!.name,
    'web',
  )
  assert.deepEqual(await get('/containerLogs/default/web/main?timestamps=false', { ...admin }), {
    code: 200,
    text: 'hello\n',
  })
  assert.deepEqual(await get('/containerLogs/default/gone/main', { ...admin }), {
    code: 404,
    text: 'pod "gone" does not exist',
  })
  assert.deepEqual(await get('/containerLogs/default/web/side', { ...admin }), {
    code: 404,
    text: 'container "side" not found in pod "web"',
  })
  assert.deepEqual(await get('/containerLogs/default/web/main?tailLines=-1', { ...admin }), {
    code: 422,
    text: '{"message": "Invalid request."}',
  })
  assert.equal((await get('/exec/default/web/main?command=id&output=1', { ...admin })).text, 'Upgrade request required')
})

test('a session is passed on to the runtime’s streaming server', async (t) => {
  const { upgrade } = await start(t)
  assert.equal(await upgrade('/exec/default/web/main?command=ls&command=-l&output=1'), 'POST /exec/ls+-l HTTP/1.1')
  assert.equal(await upgrade('/exec/default/web/side?command=ls&output=1'), '500 container not found ("side")')
  assert.equal(
    await upgrade('/exec/default/web/main?command=ls'),
    '400 you must specify at least 1 of stdin, stdout, stderr',
  )
})

test('a followed log that is quiet goes on as long as its container runs', async (t) => {
  const { get, admin, clock, container } = await start(t)
  let over = false
  const log = get('/containerLogs/default/web/main?follow=true', { ...admin }).finally(() => (over = true))
  for (let i = 0; i < 50; i++) {
    await new Promise((resolve) => setImmediate(resolve))
    await clock.advance(1000)
  }
  assert.equal(over, false)
  container.state = 'CONTAINER_EXITED'
  while (!over) {
    await new Promise((resolve) => setImmediate(resolve))
    await clock.advance(1000)
  }
  assert.equal((await log).text, 'hello\n')
})

test('a renewed certificate is shown to whoever connects next, and clients of the cluster are users still', async (t) => {
  const { get, renew, serial, admin } = await start(t)
  const before = await serial()
  const { cert } = await renew()
  assert.notEqual(await serial(), before)
  assert.equal(await serial(), new X509Certificate(cert).serialNumber)
  assert.equal((await get('/healthz', { ...admin })).text, 'ok')
})

test('a command of many words is taken', async (t) => {
  const { upgrade } = await start(t)
  const word = 'a'.repeat(30_000)
  assert.equal(await upgrade(`/exec/default/web/main?command=${word}&output=1`), `POST /exec/${word} HTTP/1.1`)
})
