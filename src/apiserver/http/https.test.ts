import assert from 'node:assert/strict'
import { connect as connect2, type ClientHttp2Session } from 'node:http2'
import { Agent, request as httpsRequest } from 'node:https'
import { after, before, test } from 'node:test'
import { connect as connectTcp } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { gunzipSync } from 'node:zlib'
import { VirtualClock } from '../../base/clock.ts'
import { silentLogger } from '../../base/log.ts'
import { Metrics } from '../../base/metrics.ts'
import { seededRandom } from '../../base/random.ts'
import { openMemoryStore } from '../../store/memory/memory-store.ts'
import { startApiServer, type ApiServer } from '../apiserver.ts'
import type { Listener } from './listener.ts'

interface Answer {
  readonly code: number
  readonly headers: Record<string, string | string[] | undefined>
  readonly body: Buffer
}

interface Asked {
  readonly method?: string
  readonly headers?: Record<string, string>
  readonly body?: string | Buffer
}

const clock = new VirtualClock()
let server: ApiServer
let listener: Listener
let session: ClientHttp2Session

before(async () => {
  const deps = { clock, random: seededRandom(1), log: silentLogger, metrics: new Metrics() }
  server = await startApiServer({
    ...deps,
    store: openMemoryStore(deps),
    tokenAuthFile: 'secret,admin,1,"system:masters"\nother,jane,2\n',
  })
  listener = await server.listen({ host: '127.0.0.1', port: 0, tls: await selfSigned() })
  session = connect2(`https://127.0.0.1:${listener.port}`, { rejectUnauthorized: false })
})

after(async () => {
  session.destroy()
  await server.close()
})

/** A certificate of its own for this server. */
async function selfSigned(): Promise<{ cert: string; key: string }> {
  await import('reflect-metadata')
  const x509 = await import('@peculiar/x509')
  const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
  const keys = await crypto.subtle.generateKey(algorithm, true, ['sign', 'verify'])
  const cert = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: '01',
    name: 'CN=test',
    notBefore: new Date(0),
    notAfter: new Date(Date.UTC(2100, 0, 1)),
    keys,
    signingAlgorithm: algorithm,
  })
  const key = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64')
  return {
    cert: cert.toString('pem'),
    key: `-----BEGIN PRIVATE KEY-----\n${key.replace(/.{64}/g, '$&\n')}\n-----END PRIVATE KEY-----\n`,
  }
}

const withToken = (headers: Record<string, string> = {}) => ({
  authorization: 'Bearer secret',
  'user-agent': 'test/1',
  ...headers,
})

function over1(path: string, { method = 'GET', headers, body }: Asked = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const request = httpsRequest(
      {
        host: '127.0.0.1',
        port: listener.port,
        path,
        method,
        headers: withToken(headers),
        rejectUnauthorized: false,
        agent: false,
      },
      (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => chunks.push(chunk))
        response.on('end', () =>
          resolve({ code: response.statusCode!, headers: response.headers, body: Buffer.concat(chunks) }),
        )
      },
    )
    request.on('error', reject)
    request.end(body)
  })
}

function over2(path: string, { method = 'GET', headers, body }: Asked = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const stream = session.request(
      { ':method': method, ':path': path, ...withToken(headers) },
      { endStream: body === undefined },
    )
    let answered: Record<string, string | string[] | undefined> = {}
    const chunks: Buffer[] = []
    stream.on('response', (received) => (answered = received as typeof answered))
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', () =>
      resolve({ code: Number(answered[':status']), headers: answered, body: Buffer.concat(chunks) }),
    )
    stream.on('error', reject)
    if (body !== undefined) stream.end(body)
  })
}

const json = (answer: Answer) =>
  JSON.parse(answer.body.toString()) as {
    code?: number
    reason?: string
    message?: string
    metadata: { name?: string; continue?: string }
    items: object[]
  }
const configMaps = '/api/v1/namespaces/default/configmaps'
const post = (value: unknown, headers: Record<string, string> = {}): Asked => ({
  method: 'POST',
  headers: { 'content-type': 'application/json', ...headers },
  body: typeof value === 'string' ? value : JSON.stringify(value),
})

for (const [name, ask] of [
  ['HTTP/1.1', over1],
  ['HTTP/2', over2],
] as const) {
  test(`${name}: an object is made, read and deleted`, async () => {
    const made = await ask(configMaps, post({ metadata: { name: 'a' }, data: { k: '"<&>é' } }))
    assert.equal(made.code, 201)
    assert.equal(made.headers['content-type'], 'application/json')
    assert.equal(made.headers['cache-control'], 'no-cache, private')
    assert.ok(made.headers['audit-id'] && made.headers['date'])
    assert.ok(made.headers['x-kubernetes-pf-flowschema-uid'])
    assert.deepEqual(json(await ask(`${configMaps}/a`)), json(made))
    assert.equal((await ask(`${configMaps}/a`, { method: 'DELETE' })).code, 200)
    assert.equal((await ask(`${configMaps}/a`)).code, 404)
  })

  test(`${name}: without credentials only health and version are open`, async () => {
    const nobody = { headers: { authorization: '' } }
    assert.equal((await ask('/healthz', nobody)).body.toString(), 'ok')
    assert.equal((await ask('/version', nobody)).code, 200)
    assert.equal((await ask(configMaps, nobody)).code, 403)
    assert.equal((await ask(configMaps, { headers: { authorization: 'Bearer wrong' } })).code, 401)
    assert.equal((await ask(configMaps, { headers: { authorization: 'Bearer other' } })).code, 403)
  })

  test(`${name}: a bad body is refused, and the server lives on`, async () => {
    for (const [body, code] of [
      ['{', 400],
      ['null', 400],
      ['[]', 400],
      ['"text"', 400],
      [`{"metadata":${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}}`, 400],
      [JSON.stringify({ metadata: { name: 'Bad Name!' } }), 422],
      [JSON.stringify({ metadata: { name: 'x' }, data: 7 }), 400],
      [JSON.stringify({ kind: 'Pod', metadata: { name: 'x' } }), 400],
    ] as const) {
      assert.equal((await ask(configMaps, post(body))).code, code, body.slice(0, 60))
    }
    assert.equal((await ask(configMaps, post('{}', { 'content-type': 'text/plain' }))).code, 415)
    assert.equal((await ask('/readyz')).code, 200)
  })

  test(`${name}: a body that is too large is refused`, async () => {
    const big = post({ metadata: { name: 'big' }, data: { k: 'x'.repeat(4 << 20) } })
    const answer = await ask(configMaps, big).catch((error: NodeJS.ErrnoException) => error)
    // Over HTTP/2 the server need not read on: a client that still writes may see the stream end instead.
    if (ask === over1 || !(answer instanceof Error)) assert.equal((answer as Answer).code, 413)
    if (ask === over1)
      assert.equal(
        (await ask(configMaps, { ...big, headers: { ...big.headers, authorization: 'Bearer wrong' } })).code,
        401,
      )
    assert.equal((await ask('/readyz')).code, 200)
  })

  test(`${name}: forms that cannot be given are refused`, async () => {
    assert.equal((await ask(configMaps, { headers: { accept: 'text/html' } })).code, 406)
    const asTable = { headers: { accept: 'application/json;as=Table;v=v1;g=meta.k8s.io,application/json' } }
    // Of what lies nowhere, too.
    for (const path of [configMaps, '/api/v1/componentstatuses', '/api/v1/componentstatuses/etcd-0'])
      assert.equal((JSON.parse((await ask(path, asTable)).body.toString()) as { kind: string }).kind, 'Table', path)
    const yaml = await ask('/api/v1/namespaces/default', { headers: { accept: 'application/yaml' } })
    assert.match(yaml.body.toString(), /^apiVersion: v1\nkind: Namespace\n/)
    const binary = await ask('/api/v1/namespaces/default', {
      headers: { accept: 'application/vnd.kubernetes.protobuf' },
    })
    assert.equal(binary.body.subarray(0, 4).toString('latin1'), 'k8s\0')
  })

  test(`${name}: JSON ends its line, except where it is indented for a person`, async () => {
    for (const path of ['/api/v1/namespaces/default', '/api/v1/namespaces', '/api/v1/namespaces/none', '/apis']) {
      assert.match((await ask(path)).body.toString(), /^\{"[^\n]*\}\n$/, path)
      if (path !== '/apis') assert.match((await ask(`${path}?pretty=1`)).body.toString(), /^\{\n {2}"[^]*\n\}$/, path)
    }
  })

  test(`${name}: below an object there is nothing but its subresources`, async () => {
    assert.equal((await ask('/api/v1/namespaces/default/pods/none/status')).code, 404)
    const { message } = json(await ask('/api/v1/namespaces/default/pods/none/status/more'))
    assert.equal(message, 'the server could not find the requested resource')
  })

  test(`${name}: a large list is compressed for who takes it`, async () => {
    for (let i = 0; i < 40; i++)
      await ask(configMaps, post({ metadata: { name: `l${i}` }, data: { k: 'x'.repeat(10_000) } }))
    const plain = await ask(configMaps)
    const packed = await ask(configMaps, { headers: { 'accept-encoding': 'gzip' } })
    assert.equal(packed.headers['content-encoding'], 'gzip')
    assert.ok(packed.body.length < plain.body.length / 10)
    assert.deepEqual(json({ ...packed, body: gunzipSync(packed.body) }).items.length, json(plain).items.length)
    await ask(configMaps, { method: 'DELETE' })
  })

  test(`${name}: a watch sends lines until its time is over`, async () => {
    await ask(configMaps, post({ metadata: { name: 'w' } }))
    const lines = await new Promise<string[]>((resolve, reject) => {
      const path = `${configMaps}?watch=true&fieldSelector=metadata.name%3Dw`
      const got: string[] = []
      const take = (chunk: Buffer, stop: () => void) => {
        got.push(...chunk.toString().split('\n').filter(Boolean))
        if (got.length >= 2) {
          stop()
          resolve(got)
        }
      }
      if (ask === over1) {
        const request = httpsRequest(
          {
            host: '127.0.0.1',
            port: listener.port,
            path,
            headers: withToken(),
            rejectUnauthorized: false,
            agent: false,
          },
          (response) => response.on('data', (chunk: Buffer) => take(chunk, () => request.destroy())),
        )
        request.on('error', (error) => got.length < 2 && reject(error))
        request.end()
      } else {
        const stream = session.request({ ':path': path, ...withToken() })
        stream.on('data', (chunk: Buffer) => take(chunk, () => stream.close()))
      }
      ask(`${configMaps}/w`, { method: 'DELETE' }).catch(reject)
    })
    assert.deepEqual(
      lines.map((line) => (JSON.parse(line) as { type: string }).type),
      ['ADDED', 'DELETED'],
    )
  })
}

test('HTTP/1.1: a watch misses nothing when it begins before the answer ahead of it on the connection has ended', async () => {
  const ask = over1
  const socket = connectTls({
    host: '127.0.0.1',
    port: listener.port,
    rejectUnauthorized: false,
    ALPNProtocols: ['http/1.1'],
  })
  let heard = ''
  const until = (text: string) =>
    new Promise<void>((resolve) => {
      const look = () => heard.includes(text) && resolve(void socket.off('data', look))
      socket.on('data', look)
      look()
    })
  socket.on('data', (chunk: Buffer) => (heard += chunk.toString()))
  const watchOf = (name: string, seconds: number) =>
    `GET ${configMaps}?watch=true&timeoutSeconds=${seconds}&fieldSelector=metadata.name%3D${name} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer secret\r\n\r\n`
  socket.write(watchOf('ahead', 5) + watchOf('behind', 600))
  await until('200 OK')
  await ask(configMaps, post({ metadata: { name: 'ahead' } }))
  await until('ADDED')
  await ask(configMaps, post({ metadata: { name: 'behind' } }))
  await clock.advance(5000)
  await until('"name":"behind"')
  await ask(`${configMaps}/behind`, { method: 'DELETE' })
  await until('DELETED')
  socket.destroy()
  const [, behind = ''] = heard.split('0\r\n\r\n')
  assert.deepEqual(
    behind.split('\n').flatMap((line) => (line.startsWith('{') ? [(JSON.parse(line) as { type: string }).type] : [])),
    ['ADDED', 'DELETED'],
  )
  await ask(`${configMaps}/ahead`, { method: 'DELETE' })
})

/** Sends text as it is, and resolves with all that came back. */
function raw(text: string): Promise<string> {
  return new Promise((resolve) => {
    const options = { host: '127.0.0.1', port: listener.port, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'] }
    const socket = connectTls(options, () => socket.write(text))
    let heard = ''
    socket.on('data', (chunk: Buffer) => (heard += chunk.toString()))
    socket.on('error', () => {}) // What is too long is not read to its end.
    socket.on('close', () => resolve(heard))
  })
}

test('HTTP/1.1: a target may name scheme and host, and a head that is too long is told so', async () => {
  const end = 'host: x\r\nconnection: close\r\n\r\n'
  assert.match(await raw(`GET https://x/healthz HTTP/1.1\r\n${end}`), /^HTTP\/1.1 200 /)
  assert.match(await raw(`GET /healthz HTTP/1.1\r\nx: ${'y'.repeat(1 << 20)}\r\n${end}`), /^HTTP\/1.1 431 /)
})

test('a server that ends answers what was begun, ends watches, and then its connections', async (t) => {
  const deps = { clock: new VirtualClock(), random: seededRandom(2), log: silentLogger, metrics: new Metrics() }
  const ending = await startApiServer({
    ...deps,
    store: openMemoryStore(deps),
    tokenAuthFile: 'secret,admin,1,"system:masters"\n',
  })
  const { port } = await ending.listen({ host: '127.0.0.1', port: 0, tls: await selfSigned() })
  const client = connect2(`https://127.0.0.1:${port}`, { rejectUnauthorized: false })
  // Whoever connects and says nothing does not hold the end up.
  const silent = connectTcp(port, '127.0.0.1').on('error', () => {})
  t.after(() => {
    client.destroy()
    silent.destroy()
  })
  const watch = client.request({ ':path': `${configMaps}?watch=true`, ...withToken() })
  await new Promise((resolve) => watch.once('response', resolve))
  const write = client.request({ ':method': 'POST', ':path': configMaps, ...withToken() })
  const answered = new Promise((resolve) => write.once('response', (headers) => resolve(headers[':status'])))
  const ended = new Promise((resolve) => watch.resume().once('end', resolve))
  write.write('{"metadata":{')
  // The body's first half is there when the one behind it on the connection is answered.
  const behind = client.request({ ':path': '/healthz' })
  await new Promise((resolve) => behind.resume().once('end', resolve))
  const closed = ending.close()
  write.end('"name":"last"}}')
  assert.equal(await answered, 201)
  await ended
  await closed
})

test('requests are counted under upstream names', async () => {
  const text = (await over1('/metrics')).body.toString()
  assert.match(
    text,
    /apiserver_request_total\{code="201",component="apiserver",dry_run="",group="",resource="configmaps",scope="(resource|namespace)",subresource="",verb="POST",version="v1"\} \d+/,
  )
  assert.match(text, /apiserver_request_duration_seconds_bucket\{/)
})

test('lists that are sent at the same time, and after lists that were left, keep their bytes apart', async () => {
  for (const namespace of ['list-a', 'list-b']) {
    await over1('/api/v1/namespaces', { method: 'POST', body: JSON.stringify({ metadata: { name: namespace } }) })
    for (let i = 0; i < 8; i++) {
      const body = JSON.stringify({ metadata: { name: `cm-${i}` }, data: { value: namespace.repeat(20_000) } })
      const created = await over1(`/api/v1/namespaces/${namespace}/configmaps`, { method: 'POST', body })
      assert.equal(created.code, 201)
    }
  }
  const agent = new Agent({ keepAlive: true, maxSockets: 2 })
  const options = (path: string) => ({ host: '127.0.0.1', port: listener.port, path, rejectUnauthorized: false, agent })
  const kept = (path: string, leave: boolean) =>
    new Promise<string>((resolve, reject) => {
      const request = httpsRequest({ ...options(path), headers: withToken() }, (response) => {
        const chunks: Buffer[] = []
        response.on('data', (chunk: Buffer) => (leave ? request.destroy() : chunks.push(chunk)))
        response.on('close', () => resolve(Buffer.concat(chunks).toString()))
      })
      request.on('error', (error) => (leave ? resolve('') : reject(error)))
      request.end()
    })
  try {
    for (let round = 0; round < 4; round++) {
      await Promise.all(
        ['list-a', 'list-b', 'list-a', 'list-b', 'list-a', 'list-b'].map(async (namespace, i) => {
          const path = `/api/v1/namespaces/${namespace}/configmaps`
          const leave = i === round
          const text = i === 5 ? (await over2(path)).body.toString() : await kept(path, leave)
          if (leave) return
          const { items } = JSON.parse(text) as { items: { data: { value: string } }[] }
          assert.equal(items.length, 8)
          for (const { data } of items) assert.equal(data.value, namespace.repeat(20_000))
        }),
      )
    }
  } finally {
    agent.destroy()
  }
})
