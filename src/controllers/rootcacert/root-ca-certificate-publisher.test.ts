import assert from 'node:assert/strict'
import { test } from 'node:test'
import { configMaps, namespaces, serviceAccounts } from '../../api/generated/resources.ts'
import { startWorld } from '../testing/world.ts'

const controllers = ['root-ca-certificate-publisher-controller', 'serviceaccount-controller']
const key = { namespace: 'new', name: 'kube-root-ca.crt' }

test('every namespace has the certificate and a default account, however often they are deleted or changed', async () => {
  await using world = await startWorld(controllers, { rootCa: 'THE CA' })
  await world.client.create(namespaces, { metadata: { name: 'new' } })
  await world.clock.settle()
  assert.deepEqual((await world.client.get(configMaps, key)).data, { 'ca.crt': 'THE CA' })
  await world.client.patch(configMaps, key, { data: { 'ca.crt': 'another' } }, { type: 'merge' })
  await world.clock.settle()
  assert.deepEqual((await world.client.get(configMaps, key)).data, { 'ca.crt': 'THE CA' })
  await world.client.delete(configMaps, key)
  await world.client.delete(serviceAccounts, { namespace: 'new', name: 'default' })
  await world.clock.settle()
  await world.client.get(configMaps, key)
  await world.client.get(serviceAccounts, { namespace: 'new', name: 'default' })
})
