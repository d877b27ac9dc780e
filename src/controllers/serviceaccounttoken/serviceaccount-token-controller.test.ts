import assert from 'node:assert/strict'
import { generateKeyPairSync, verify } from 'node:crypto'
import { test } from 'node:test'
import { secrets, serviceAccounts } from '../../api/generated/resources.ts'
import { startWorld } from '../testing/world.ts'

const key = { namespace: 'default', name: 's' }

for (const type of ['rsa', 'ec'] as const) {
  test(`a Secret that asks for a token gets one, signed with the ${type} key, and goes with its account`, async () => {
    const { privateKey, publicKey } =
      type === 'rsa'
        ? generateKeyPairSync('rsa', { modulusLength: 2048 })
        : generateKeyPairSync('ec', { namedCurve: 'P-256' })
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()
    await using world = await startWorld(['serviceaccount-token-controller'], {
      serviceAccountPrivateKey: pem,
      rootCa: 'CA',
      serviceAccountIssuer: 'me',
    })
    const account = await world.client.create(serviceAccounts, { metadata: { namespace: 'default', name: 'robot' } })
    await world.client.create(secrets, {
      metadata: { ...key, annotations: { 'kubernetes.io/service-account.name': 'robot' } },
      type: 'kubernetes.io/service-account-token',
    })
    await world.clock.settle()
    const { data = {}, metadata } = await world.client.get(secrets, key)
    const text = (name: string) => Buffer.from(String(data[name]), 'base64').toString()
    assert.deepEqual(
      [text('ca.crt'), text('namespace'), metadata.annotations?.['kubernetes.io/service-account.uid']],
      ['CA', 'default', account.metadata.uid],
    )
    const [head = '', claims = '', signature = ''] = text('token').split('.')
    assert.ok(
      verify(
        'sha256',
        Buffer.from(`${head}.${claims}`),
        type === 'ec' ? { key: publicKey, dsaEncoding: 'ieee-p1363' } : publicKey,
        Buffer.from(signature, 'base64url'),
      ),
    )
    assert.equal(
      (JSON.parse(Buffer.from(claims, 'base64url').toString()) as { sub: string }).sub,
      'system:serviceaccount:default:robot',
    )
    await world.client.delete(serviceAccounts, { namespace: 'default', name: 'robot' })
    await world.clock.settle()
    assert.equal((await world.client.list(secrets, { namespace: 'default' })).items.length, 0)
  })
}
