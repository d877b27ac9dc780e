import assert from 'node:assert/strict'
import test from 'node:test'
import { clusterRoleBindings, clusterRoles, volumeAttributesClasses } from '../api/generated/resources.ts'
import { controllerAccounts } from './accounts.ts'
import { controllerTable } from './controller-table.ts'
import { startWorld } from './testing/world.ts'

test('every controller has an account, but the one that makes their tokens', () => {
  const without = controllerTable.map(({ name }) => name).filter((name) => !(name in controllerAccounts))
  assert.deepEqual(without, ['serviceaccount-token-controller'])
  const known = new Set(controllerTable.map(({ name }) => name))
  assert.deepEqual(
    Object.keys(controllerAccounts).filter((name) => !known.has(name)),
    [],
  )
})

test('every account has its role in a new cluster', async () => {
  await using world = await startWorld([])
  for (const account of new Set(Object.values(controllerAccounts))) {
    const name = `system:controller:${account}`
    assert.ok(
      (await world.client.get(clusterRoles, { name }).catch(() => undefined)) ||
        account === 'bootstrap-signer' ||
        account === 'token-cleaner',
      name,
    )
    const binding = await world.client.get(clusterRoleBindings, { name }).catch(() => undefined)
    if (binding)
      assert.deepEqual(binding.subjects, [{ kind: 'ServiceAccount', name: account, namespace: 'kube-system' }])
  }
})

test('a class of volume attributes is guarded, and goes when nobody uses it', async () => {
  await using world = await startWorld(['volumeattributesclass-protection-controller'])
  await world.client.create(volumeAttributesClasses, {
    metadata: { name: 'gold' },
    driverName: 'example.com/csi',
    parameters: { iops: '4' },
  })
  await world.clock.settle()
  assert.deepEqual((await world.client.get(volumeAttributesClasses, { name: 'gold' })).metadata.finalizers, [
    'kubernetes.io/vac-protection',
  ])
  await world.client.delete(volumeAttributesClasses, { name: 'gold' })
  await world.clock.settle()
  assert.deepEqual((await world.client.list(volumeAttributesClasses)).items, [])
})
