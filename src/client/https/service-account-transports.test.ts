import assert from 'node:assert/strict'
import { generateKeyPairSync } from 'node:crypto'
import test from 'node:test'
import { configMaps, pods, serviceAccounts } from '../../api/generated/resources.ts'
import { startApiServer } from '../../apiserver/apiserver.ts'
import { isForbidden } from '../../api/errors/api-error.ts'
import { VirtualClock } from '../../base/clock.ts'
import { silentLogger } from '../../base/log.ts'
import { Metrics } from '../../base/metrics.ts'
import { realRandom, seededRandom } from '../../base/random.ts'
import { componentUsers } from '../../cluster/component-users.ts'
import { issue, newAuthority } from '../../cluster/pki/certificate.ts'
import { openMemoryStore } from '../../store/memory/memory-store.ts'
import { newClient } from '../client.ts'
import type { Transport } from '../transport.ts'
import { httpsTransport } from './https-transport.ts'
import { serviceAccountTransports } from './service-account-transports.ts'

test('a controller acts as its account with a token that is renewed in time, and got anew when it is refused', async (t) => {
  const clock = new VirtualClock(Date.now())
  const deps = { clock, random: seededRandom(1), log: silentLogger, metrics: new Metrics() }
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const pem = {
    signingKey: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
    keys: [publicKey.export({ type: 'spki', format: 'pem' }).toString()],
  }
  const api = await startApiServer({
    ...deps,
    store: openMemoryStore(deps),
    serviceAccounts: { issuers: ['https://kubernetes'], ...pem },
    freeze: true,
  })
  const made = { clock, random: realRandom }
  const authority = await newAuthority('kubernetes', 1, made)
  const listener = await api.listen({
    host: '127.0.0.1',
    port: 0,
    tls: await issue(authority, { commonName: 'api', usage: 'server', hosts: ['127.0.0.1'], validDays: 1 }, made),
  })
  const nobody = httpsTransport({ server: `https://127.0.0.1:${listener.port}`, ca: authority.cert, deps })
  t.after(async () => {
    await nobody.close()
    await api.close()
  })
  const tokens = new Set<string>()
  const transport: Transport = {
    send(request, signal) {
      if (request.token) tokens.add(request.token)
      return nobody.send(request, signal)
    },
    watch: (request, signal) => nobody.watch(request, signal),
    close: () => nobody.close(),
  }
  const manager = newClient(api.transport(componentUsers.controllerManager))
  const as = serviceAccountTransports({ deps, client: manager, transport, namespace: 'kube-system' })
  const publisher = newClient(as('root-ca-cert-publisher'))
  const publish = (name: string) => publisher.create(configMaps, { metadata: { name, namespace: 'default' } })

  await publish('a')
  await assert.rejects(
    publisher.list(pods),
    (error) =>
      isForbidden(error) &&
      /User "system:serviceaccount:kube-system:root-ca-cert-publisher" cannot list/.test(error.message),
  )
  assert.equal(tokens.size, 1, 'one token for all requests')
  await clock.advance(2881_000)
  await publish('b')
  assert.equal(tokens.size, 2, 'renewed at four fifths of its hour')

  const admin = newClient(api.transport(componentUsers.installer))
  await admin.delete(serviceAccounts, { namespace: 'kube-system', name: 'root-ca-cert-publisher' })
  await assert.rejects(publish('c'), { code: 401 })
  await publish('c')
  assert.equal(tokens.size, 3, 'the account was made again')
})
