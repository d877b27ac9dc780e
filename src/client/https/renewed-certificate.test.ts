import assert from 'node:assert/strict'
import { once } from 'node:events'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import type { TLSSocket } from 'node:tls'
import { VirtualClock } from '../../base/clock.ts'
import { seededRandom } from '../../base/random.ts'
import { issue, newAuthority } from '../../cluster/pki/certificate.ts'
import { httpsTransport } from './https-transport.ts'

test('a certificate is used once its key is there too, and until then the one before', async (t) => {
  const clock = new VirtualClock(Date.now())
  const deps = { clock, random: seededRandom(1) }
  const authority = await newAuthority('kubernetes', 1, deps)
  const pairOf = (commonName: string) =>
    issue(authority, { commonName, hosts: ['127.0.0.1'], usage: 'both', validDays: 1 }, deps)
  const folder = await mkdtemp(join(tmpdir(), 'kubernode-https-'))
  t.after(() => rm(folder, { recursive: true }))
  const [certFile, keyFile] = [join(folder, 'cert'), join(folder, 'key')]
  const [first, second] = [await pairOf('first'), await pairOf('second')]
  await writeFile(certFile, first.cert)
  await writeFile(keyFile, first.key)

  const tls = { ...(await pairOf('server')), ca: authority.cert, requestCert: true }
  const server = createServer(tls, (request, response) => {
    response.end(JSON.stringify({ kind: (request.socket as TLSSocket).getPeerCertificate().subject.CN }))
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
  const transport = httpsTransport({ server: address, ca: authority.cert, certFile, keyFile, deps: { clock } })
  t.after(async () => {
    await transport.close()
    server.close()
  })
  const whoAmI = async () => ((await transport.send({ method: 'GET', path: '/' })) as { kind: string }).kind

  assert.deepEqual(await Promise.all([whoAmI(), whoAmI()]), ['first', 'first'])
  await writeFile(certFile, second.cert)
  await clock.advance(61_000)
  assert.equal(await whoAmI(), 'first')
  await writeFile(keyFile, second.key)
  await clock.advance(61_000)
  assert.equal(await whoAmI(), 'second')
})
