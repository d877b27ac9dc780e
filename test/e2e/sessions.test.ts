import assert from 'node:assert/strict'
import { join } from 'node:path'
import test, { after, before } from 'node:test'
import { WebSocket, type RawData } from 'ws'
import { pods, services } from '../../src/api/generated/resources.ts'
import { commandDeps } from '../../src/cli/deps.ts'
import type { Client } from '../../src/client/client.ts'
import { connectionOf } from '../../src/client/https/kubeconfig.ts'
import { SpdyConnection } from '../../src/streaming/spdy/connection.ts'
import { askForSpdy } from '../../src/streaming/upgrade/ask.ts'
import { busyboxArchive, testImage } from './busybox-image.ts'
import { cannotRun, eventually, testCluster } from './test-cluster.ts'

const options = { skip: cannotRun, timeout: 240_000 }
const cluster = testCluster('ses', 1)
let client: Client
let origin: URL
let tls: { ca: string; cert: string; key: string }

const key = { namespace: 'default', name: 'box' }
const podPath = '/api/v1/namespaces/default/pods/box'
const script =
  'echo started; mkdir -p /www; echo page > /www/index.html; httpd -p 8080 -h /www; i=0; while true; do echo "tick $i"; i=$((i+1)); sleep 0.2; done'

before(async () => {
  if (cannotRun) return
  await cluster.kubernode('up', '--nodes', '2', '--timeout', '90s')
  await cluster.kubernode('image', 'load', await busyboxArchive(cluster.home))
  client = await cluster.client()
  const {
    server,
    ca,
    cert,
    key: privateKey,
  } = await connectionOf(join(cluster.home, 'kubeconfig'), { deps: commandDeps() })
  origin = new URL(server)
  tls = { ca: ca!, cert: cert!, key: privateKey! }
  await client.create(pods, {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { ...key, labels: { app: 'box' } },
    spec: {
      terminationGracePeriodSeconds: 1,
      containers: [{ name: 'box', image: testImage, command: ['/bin/busybox', 'sh', '-c', script] }],
    },
  })
  await client.create(services, {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: key,
    spec: { selector: { app: 'box' }, ports: [{ name: 'http', port: 80, targetPort: 8080 }] },
  })
  await eventually(
    'the pod runs',
    () => client.get(pods, key),
    ({ status }) => status?.phase === 'Running',
  )
})
after(() => (cannotRun ? undefined : cluster.remove()))

const execPath = (command: readonly string[], streams: string) =>
  `${podPath}/exec?${command.map((word) => `command=${encodeURIComponent(word)}`).join('&')}&${streams}`

async function textOf(stream: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = []
  for await (const part of stream) parts.push(part)
  return Buffer.concat(parts).toString()
}

test('a command gets its input over a WebSocket, its end too, and tells its exit code', options, async () => {
  const path = execPath(
    ['/bin/busybox', 'sh', '-c', 'cat; echo done >&2; exit 3'],
    'stdin=true&stdout=true&stderr=true',
  )
  const webSocket = new WebSocket(`wss://${origin.host}${path}`, ['v5.channel.k8s.io'], tls)
  const got: string[] = ['', '', '', '']
  webSocket.on('message', (raw: RawData) => {
    const message = raw as Buffer
    got[message[0]!] += message.subarray(1).toString()
  })
  await new Promise((resolve, reject) => webSocket.once('open', resolve).once('error', reject))
  webSocket.send(Buffer.concat([Buffer.from([0]), Buffer.from('hello\n')]))
  webSocket.send(Buffer.from([255, 0]))
  await new Promise((resolve) => webSocket.once('close', resolve))
  assert.deepEqual([got[1], got[2]], ['hello\n', 'done\n'])
  assert.deepEqual((JSON.parse(got[3]!) as { details: { causes: object[] } }).details.causes, [
    { reason: 'ExitCode', message: '3' },
  ])
})

test('a command runs over SPDY, and megabytes come back', options, async () => {
  const answer = await askForSpdy({
    origin,
    tls,
    path: execPath(['/bin/busybox', 'sh', '-c', 'head -c 3000000 /dev/zero'], 'stdout=true'),
    protocols: ['v4.channel.k8s.io'],
  })
  assert.ok(answer.switched)
  const connection = new SpdyConnection(answer.socket, { side: 'client' })
  const error = connection.open({ streamtype: 'error' })
  const stdout = connection.open({ streamtype: 'stdout' })
  const [status, output] = await Promise.all([textOf(error), textOf(stdout)])
  assert.equal(output.length, 3_000_000)
  assert.equal((JSON.parse(status) as { status: string }).status, 'Success')
  connection.close()
})

test('a port is forwarded', options, async () => {
  const answer = await askForSpdy({ origin, tls, path: `${podPath}/portforward`, protocols: ['portforward.k8s.io'] })
  assert.ok(answer.switched)
  const connection = new SpdyConnection(answer.socket, { side: 'client' })
  const head = { port: '8080', requestid: '0' }
  connection.open({ ...head, streamtype: 'error' }).end()
  const data = connection.open({ ...head, streamtype: 'data' })
  data.end('GET / HTTP/1.0\r\n\r\n')
  assert.match(await textOf(data), /200 OK[^]*page\n$/)
  connection.close()
})

test('logs are given as asked for, and previous ones are missed', options, async () => {
  const log = (query: Record<string, string>) => client.send<string>({ method: 'GET', path: `${podPath}/log`, query })
  assert.match(await log({}), /^started\ntick 0\n/)
  await eventually(
    'some lines',
    () => log({ tailLines: '2', timestamps: 'true' }),
    (text) => /^(\d{4}-\S+ tick \d+\n){2}$/.test(text),
  )
  assert.equal(await log({ limitBytes: '5' }), 'start')
  await assert.rejects(log({ previous: 'true' }), /previous terminated container "box" in pod "box" not found/)
  await assert.rejects(log({ container: 'nope' }), /container nope is not valid for pod box/)
})

test('requests are proxied to a pod, a Service and a node', options, async () => {
  const get = (path: string) => client.send<string>({ method: 'GET', path })
  assert.equal(await get(`${podPath}:8080/proxy/`), 'page\n')
  assert.equal(
    await eventually(
      'an endpoint',
      () => get('/api/v1/namespaces/default/services/box:http/proxy/'),
      () => true,
    ),
    'page\n',
  )
  assert.equal(await get('/api/v1/nodes/ses-1/proxy/healthz'), 'ok')
  await assert.rejects(
    get(`${podPath}:9999/proxy/`),
    /error trying to reach service: dial tcp .*:9999: connect: connection refused/,
  )
})

test('what nodes and pods use is told by metrics.k8s.io', options, async () => {
  type List = { items: { metadata: { name: string }; containers?: { usage: { memory: string } }[] }[] }
  const nodes = await eventually(
    'metrics of both nodes',
    () => client.send<List>({ method: 'GET', path: '/apis/metrics.k8s.io/v1beta1/nodes' }),
    ({ items }) => items.length === 2,
  )
  assert.deepEqual(
    nodes.items.map(({ metadata }) => metadata.name),
    ['ses-1', 'ses-2'],
  )
  const { items } = await client.send<List>({
    method: 'GET',
    path: '/apis/metrics.k8s.io/v1beta1/namespaces/default/pods',
  })
  assert.match(items.find(({ metadata }) => metadata.name === 'box')!.containers![0]!.usage.memory, /^\d+Ki$/)
})
