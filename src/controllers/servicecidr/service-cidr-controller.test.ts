import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ipAddresses, serviceCIDRs } from '../../api/generated/resources.ts'
import { startWorld } from '../testing/world.ts'

test('a range is ready, and stays while an address of it is in use', async () => {
  await using world = await startWorld(['service-cidr-controller'])
  await world.client.create(serviceCIDRs, { metadata: { name: 'more' }, spec: { cidrs: ['10.200.0.0/24'] } })
  await world.clock.settle()
  const ready = async () =>
    (await world.client.get(serviceCIDRs, { name: 'more' })).status?.conditions?.find(({ type }) => type === 'Ready')
  assert.equal((await ready())?.status, 'True')
  const labels = {
    'ipaddress.kubernetes.io/ip-family': 'IPv4',
    'ipaddress.kubernetes.io/managed-by': 'ipallocator.k8s.io',
  }
  await world.client.create(ipAddresses, {
    metadata: { name: '10.200.0.7', labels },
    spec: { parentRef: { group: '', resource: 'services', namespace: 'default', name: 's' } },
  })
  await world.client.delete(serviceCIDRs, { name: 'more' })
  await world.clock.advance(30_000)
  assert.equal((await ready())?.reason, 'Terminating')
  await world.client.delete(ipAddresses, { name: '10.200.0.7' })
  await world.clock.advance(30_000)
  assert.ok(!(await world.client.list(serviceCIDRs)).items.some(({ metadata }) => metadata.name === 'more'))
})
