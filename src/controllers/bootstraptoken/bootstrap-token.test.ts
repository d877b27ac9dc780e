import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { configMaps, secrets } from '../../api/generated/resources.ts'
import { timestamp } from '../../client/object.ts'
import { startWorld, type World } from '../testing/world.ts'

const controllers = ['bootstrap-signer-controller', 'token-cleaner-controller']

async function addToken(world: World, id: string, lifeMs: number): Promise<void> {
  const data = {
    'token-id': id,
    'token-secret': '0123456789abcdef',
    'usage-bootstrap-signing': 'true',
    expiration: timestamp(world.clock.now() + lifeMs),
  }
  await world.client.create(secrets, {
    metadata: { namespace: 'kube-system', name: `bootstrap-token-${id}` },
    type: 'bootstrap.kubernetes.io/token',
    stringData: data,
  })
  await world.clock.settle()
}

const data = async (world: World) =>
  (await world.client.get(configMaps, { namespace: 'kube-public', name: 'cluster-info' })).data ?? {}

test('the public kubeconfig is signed with every token, until the token is over', async () => {
  await using world = await startWorld(controllers)
  await world.client.create(configMaps, {
    metadata: { namespace: 'kube-public', name: 'cluster-info' },
    data: { kubeconfig: 'CONFIG' },
  })
  await addToken(world, 'abcdef', 3_600_000)
  const [header, empty, signature] = ((await data(world))['jws-kubeconfig-abcdef'] ?? '').split('.')
  assert.deepEqual(JSON.parse(Buffer.from(header ?? '', 'base64url').toString()), { alg: 'HS256', kid: 'abcdef' })
  assert.equal(empty, '')
  const expected = createHmac('sha256', 'abcdef.0123456789abcdef')
    .update(`${header}.${Buffer.from('CONFIG').toString('base64url')}`)
    .digest('base64url')
  assert.equal(signature, expected)
  await world.clock.advance(3_601_000)
  assert.deepEqual(Object.keys(await data(world)), ['kubeconfig'])
  assert.equal((await world.client.list(secrets, { namespace: 'kube-system' })).items.length, 0)
})
