import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clusterRoles } from '../../api/generated/resources.ts'
import { startWorld } from '../testing/world.ts'

test('an aggregating role has the rules of those that it selects, also of later ones, each once', async () => {
  await using world = await startWorld(['clusterrole-aggregation-controller'])
  const rule = (resource: string) => ({ apiGroups: [''], resources: [resource], verbs: ['get'] })
  const part = (name: string, rules: ReturnType<typeof rule>[]) =>
    world.client.create(clusterRoles, { metadata: { name, labels: { into: 'all' } }, rules })
  await part('a', [rule('pods')])
  await world.client.create(clusterRoles, {
    metadata: { name: 'all' },
    aggregationRule: { clusterRoleSelectors: [{ matchLabels: { into: 'all' } }] },
  })
  await world.clock.settle()
  const resources = async () =>
    (await world.client.get(clusterRoles, { name: 'all' })).rules?.map((each) => each.resources?.[0])
  assert.deepEqual(await resources(), ['pods'])
  await part('b', [rule('nodes'), rule('pods')])
  await world.clock.settle()
  assert.deepEqual(await resources(), ['pods', 'nodes'])
  await world.client.delete(clusterRoles, { name: 'a' })
  await world.clock.settle()
  assert.deepEqual(await resources(), ['nodes', 'pods'])
})
