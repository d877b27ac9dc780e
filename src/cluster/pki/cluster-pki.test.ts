import assert from 'node:assert/strict'
import { X509Certificate } from 'node:crypto'
import { mkdtempSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { VirtualClock } from '../../base/clock.ts'
import { silentLogger } from '../../base/log.ts'
import { realRandom } from '../../base/random.ts'
import { ensureClusterPki } from './cluster-pki.ts'
import { LivePki } from './live-pki.ts'

const dayMs = 86_400_000

function setUp(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'kubernode-pki-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const clock = new VirtualClock(Date.now())
  const ensure = (apiServerHosts: string[]) =>
    ensureClusterPki(
      { folder, apiServerHosts, nodes: [{ name: 'n1', addresses: ['10.0.0.1'] }] },
      { clock, random: realRandom },
    )
  return { folder, clock, ensure }
}

test('certificates chain to the authority, name their hosts and carry the groups of their role', async (t) => {
  const { ensure } = setUp(t)
  const pki = await ensure(['127.0.0.1', 'kubernetes.default.svc'])
  const authority = new X509Certificate(pki.authority.cert)
  const server = new X509Certificate(pki.apiServer.cert)
  assert.ok(authority.ca)
  assert.ok(server.verify(authority.publicKey))
  assert.equal(server.checkIP('127.0.0.1'), '127.0.0.1')
  assert.equal(server.checkHost('kubernetes.default.svc'), 'kubernetes.default.svc')
  assert.match(new X509Certificate(pki.node('n1').cert).subject, /O=system:nodes\nCN=system:node:n1/)
  assert.equal(new X509Certificate(pki.nodeServer('n1').cert).checkIP('10.0.0.1'), '10.0.0.1')
})

test('what is on disk is kept; what lacks a host, expires or is broken is made anew, never the authority', async (t) => {
  const { folder, clock, ensure } = setUp(t)
  const first = await ensure(['127.0.0.1'])
  assert.equal((await ensure(['127.0.0.1'])).apiServer.cert, first.apiServer.cert)
  const moved = await ensure(['127.0.0.1', '10.96.0.1'])
  assert.notEqual(moved.apiServer.cert, first.apiServer.cert)
  assert.equal(moved.admin.cert, first.admin.cert)
  writeFileSync(join(folder, 'admin.crt'), 'rubbish')
  assert.notEqual((await ensure(['127.0.0.1', '10.96.0.1'])).admin.cert, first.admin.cert)
  await clock.advance(330 * dayMs)
  const renewed = await ensure(['127.0.0.1', '10.96.0.1'])
  assert.notEqual(renewed.scheduler.cert, first.scheduler.cert)
  assert.equal(renewed.authority.cert, first.authority.cert)
})

test('a process that runs on has renewed certificates in time, and tells who serves with them', async (t) => {
  const { clock, ensure } = setUp(t)
  const first = await ensure(['127.0.0.1'])
  const live = new LivePki(first, () => ensure(['127.0.0.1']), { clock: new VirtualClock(), log: silentLogger })
  const told: string[] = []
  live.follow(
    (pki) => pki.nodeServer('n1'),
    ({ cert }) => told.push(cert),
  )
  const client = live.pair(({ apiServerKubeletClient }) => apiServerKubeletClient)
  await clock.advance(300 * dayMs)
  await live.look()
  assert.deepEqual(told, [])
  await clock.advance(10 * dayMs)
  await live.look()
  assert.deepEqual(told, [live.current.nodeServer('n1').cert])
  assert.notEqual(client.cert, first.apiServerKubeletClient.cert)
  assert.ok(new X509Certificate(told[0]!).validToDate.getTime() > clock.now() + 300 * dayMs)
})

test('certificates are looked at four times a day until it is closed, whatever becomes of one look', async (t) => {
  const { ensure } = setUp(t)
  const pki = await ensure(['127.0.0.1'])
  const clock = new VirtualClock()
  let looks = 0
  const live = new LivePki(
    pki,
    () => (++looks === 1 ? Promise.reject(new Error('the disk is full')) : Promise.resolve(pki)),
    { clock, log: silentLogger },
  )
  await clock.advance(dayMs)
  assert.equal(looks, 4)
  await live.close()
  await clock.advance(dayMs)
  assert.equal(looks, 4)
})

test('a process that only reads takes a certificate as it is', async (t) => {
  const { folder, clock, ensure } = setUp(t)
  const first = await ensure(['127.0.0.1'])
  await clock.advance(330 * dayMs)
  const request = { folder, apiServerHosts: ['127.0.0.1'], nodes: [{ name: 'n1', addresses: ['10.0.0.1'] }] }
  assert.equal(
    (await ensureClusterPki({ ...request, readOnly: true }, { clock, random: realRandom })).nodeServer('n1').cert,
    first.nodeServer('n1').cert,
  )
})

test('private keys are readable by their owner only', async (t) => {
  const { folder, ensure } = setUp(t)
  await ensure(['127.0.0.1'])
  for (const name of ['ca.key', 'sa.key', 'apiserver.key', 'nodes/n1/kubelet.key'])
    assert.equal(statSync(join(folder, name)).mode & 0o777, 0o600, name)
})
