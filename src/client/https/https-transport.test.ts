import assert from 'node:assert/strict'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { isExpired, isNotFound } from '../../api/errors/api-error.ts'
import { configMaps } from '../../api/generated/resources.ts'
import { VirtualClock, realClock, type Clock } from '../../base/clock.ts'
import { newClient } from '../client.ts'
import { httpsTransport } from './https-transport.ts'
import { connectionOf } from './kubeconfig.ts'
import { lines } from './lines.ts'

type Answer = (request: IncomingMessage, response: ServerResponse, body: string) => void

async function start(answer: Answer, clock: Clock = realClock, options: { tokenFile?: string } = {}) {
  const server = createServer((request, response) => {
    let body = ''
    request.on('data', (chunk: Buffer) => (body += chunk.toString()))
    request.on('end', () => answer(request, response, body))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const transport = httpsTransport({
    server: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    token: 'secret',
    userAgent: 'test/1',
    ...options,
    deps: { clock },
  })
  return {
    client: newClient(transport, { fieldManager: 'me' }),
    async [Symbol.asyncDispose]() {
      await transport.close()
      server.closeAllConnections()
      await new Promise((resolve) => server.close(resolve))
    },
  }
}

const json = (response: ServerResponse, code: number, value: unknown, headers: Record<string, string> = {}) =>
  response.writeHead(code, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(value))

test('a request has its path, query, credentials and body', async () => {
  const seen: string[] = []
  await using server = await start((request, response, body) => {
    seen.push(
      `${request.method} ${request.url} ${request.headers.authorization} ${request.headers['user-agent']} ${request.headers['content-type']}`,
    )
    json(response, 201, JSON.parse(body))
  })
  const made = await server.client.create(configMaps, { metadata: { namespace: 'a b', name: 'x' } })
  assert.deepEqual(seen, [
    'POST /api/v1/namespaces/a%20b/configmaps?fieldManager=me Bearer secret test/1 application/json',
  ])
  assert.equal(made.kind, 'ConfigMap')
})

test('the token of a file goes before the one that was given, once the file is there', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'kubernode-token-'))
  t.after(() => rm(folder, { recursive: true }))
  const tokenFile = join(folder, 'token')
  const seen: (string | undefined)[] = []
  await using server = await start(
    (request, response) => {
      seen.push(request.headers.authorization)
      json(response, 200, {})
    },
    realClock,
    { tokenFile },
  )
  await server.client.list(configMaps)
  await writeFile(tokenFile, 'rotated\n')
  await server.client.list(configMaps)
  assert.deepEqual(seen, ['Bearer secret', 'Bearer rotated'])
})

test('items of a list get the kind that the list says', async () => {
  await using server = await start((_request, response) =>
    json(response, 200, {
      kind: 'ConfigMapList',
      apiVersion: 'v1',
      metadata: { resourceVersion: '7' },
      items: [{ metadata: { name: 'a' } }],
    }),
  )
  const list = await server.client.list(configMaps)
  assert.equal(list.resourceVersion, '7')
  assert.equal(list.items[0]?.kind, 'ConfigMap')
})

test('caches are not given managed fields, others are', async () => {
  const metadata = { name: 'a', managedFields: [{ manager: 'x' }] }
  await using server = await start((_request, response) =>
    json(response, 200, { kind: 'ConfigMapList', items: [{ metadata }] }),
  )
  assert.equal((await server.client.list(configMaps, { trimmed: true })).items[0]?.metadata.managedFields, undefined)
  assert.equal((await server.client.list(configMaps)).items[0]?.metadata.managedFields?.length, 1)
})

test('a Status is thrown as an error, and so is what is none', async () => {
  await using server = await start((request, response) => {
    if (request.url?.endsWith('/x'))
      json(response, 404, { kind: 'Status', reason: 'NotFound', code: 404, message: 'configmaps "x" not found' })
    else response.writeHead(502).end('bad gateway')
  })
  await assert.rejects(server.client.get(configMaps, { namespace: 'd', name: 'x' }), isNotFound)
  await assert.rejects(server.client.get(configMaps, { namespace: 'd', name: 'y' }), /bad gateway/)
})

test('what the server asks to send again later is sent again', async () => {
  let count = 0
  await using server = await start((_request, response) =>
    ++count === 1
      ? json(response, 429, { kind: 'Status', code: 429 }, { 'retry-after': '0.01' })
      : json(response, 200, { metadata: { name: 'x' } }),
  )
  await server.client.get(configMaps, { namespace: 'd', name: 'x' })
  assert.equal(count, 2)
})

test('a watch yields events as they come, and throws what the server says at its end', async () => {
  await using server = await start((_request, response) => {
    response.write(`${JSON.stringify({ type: 'ADDED', object: { metadata: { name: 'a' } } })}\n{"type":"MODI`)
    response.write(`FIED","object":{"metadata":{"name":"a"}}}\n`)
    response.end(`${JSON.stringify({ type: 'ERROR', object: { kind: 'Status', code: 410, reason: 'Expired' } })}\n`)
  })
  const types: string[] = []
  const follow = async () => {
    for await (const { type } of server.client.watch(configMaps, { signal: new AbortController().signal }))
      types.push(type)
  }
  await assert.rejects(follow(), isExpired)
  assert.deepEqual(types, ['ADDED', 'MODIFIED'])
})

test('reads, writes and watches that get no answer are given up', async () => {
  const clock = new VirtualClock()
  let asked = 0
  let allAsked = () => {}
  const arrived = new Promise<void>((resolve) => (allAsked = resolve))
  await using server = await start(() => void (++asked === 3 && allAsked()), clock)
  const key = { namespace: 'd', name: 'x' }
  const follow = async () => {
    for await (const _ of server.client.watch(configMaps, { signal: new AbortController().signal })) assert.fail()
  }
  const given = [
    assert.rejects(server.client.get(configMaps, key), /no answer from .* within 60 s/),
    assert.rejects(follow(), /no answer from .* within 60 s/),
    assert.rejects(server.client.delete(configMaps, key), /no answer from .* within 120 s/),
  ]
  await arrived
  await clock.advance(121_000)
  await Promise.all(given)
})

test('an aborted watch ends without an error', async () => {
  await using server = await start((_request, response) => response.write('\n'))
  const stop = new AbortController()
  setTimeout(() => stop.abort(), 20)
  for await (const _ of server.client.watch(configMaps, { signal: stop.signal })) assert.fail()
})

test('lines are put together from any pieces', async () => {
  const text = 'one\ntwo äöü\n\nthree\nunfinished'
  const bytes = Buffer.from(text)
  for (let size = 1; size < 8; size++) {
    const pieces = async function* () {
      for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
    }
    const found: string[] = []
    for await (const line of lines(pieces())) found.push(line)
    assert.deepEqual(found, ['one', 'two äöü', 'three'])
  }
})

test('a kubeconfig names server, certificates and user', async () => {
  const config = {
    'current-context': 'c',
    clusters: [
      {
        name: 'k',
        cluster: { server: 'https://s:6443', 'certificate-authority-data': Buffer.from('CA').toString('base64') },
      },
    ],
    users: [{ name: 'u', user: { token: 't' } }],
    contexts: [{ name: 'c', context: { cluster: 'k', user: 'u' } }],
  }
  const connection = await connectionOf(config, { deps: { clock: realClock } })
  assert.deepEqual([connection.server, connection.ca, connection.token], ['https://s:6443', 'CA', 't'])
  await assert.rejects(connectionOf(config, { context: 'x', deps: { clock: realClock } }), /no context "x"/)
})

test('an answer that breaks off fails, and one that is no longer wanted fails with the reason why', async () => {
  const stop = new AbortController()
  await using server = await start((request, response) => {
    response.writeHead(200, { 'content-length': '100' }).write('{"kind"')
    if (request.url?.endsWith('/broken')) setImmediate(() => response.destroy())
    else setImmediate(() => stop.abort(new Error('enough')))
  })
  await assert.rejects(server.client.get(configMaps, { namespace: 'd', name: 'broken' }), { code: 'ECONNRESET' })
  await assert.rejects(server.client.get(configMaps, { namespace: 'd', name: 'x' }, { signal: stop.signal }), /enough/)
})
