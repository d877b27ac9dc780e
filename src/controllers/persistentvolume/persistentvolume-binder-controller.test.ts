import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  events,
  persistentVolumeClaims,
  persistentVolumes,
  pods,
  storageClasses,
} from '../../api/generated/resources.ts'
import type { PersistentVolumeClaimSpec, PersistentVolumeSpec } from '../../api/generated/types/core-v1.ts'
import { startWorld, type World } from '../testing/world.ts'

const start = () =>
  startWorld([
    'persistentvolume-binder-controller',
    'persistentvolumeclaim-protection-controller',
    'persistentvolume-protection-controller',
    'ephemeral-volume-controller',
  ])
const key = { namespace: 'default', name: 'c' }

async function addVolume(
  world: World,
  name: string,
  storage: string,
  more: Partial<PersistentVolumeSpec> = {},
): Promise<void> {
  await world.client.create(persistentVolumes, {
    metadata: { name },
    spec: {
      capacity: { storage },
      accessModes: ['ReadWriteOnce'],
      hostPath: { path: `/tmp/${name}` },
      persistentVolumeReclaimPolicy: 'Retain',
      ...more,
    },
  })
  await world.clock.settle()
}

async function addClaim(world: World, storage: string, more: Partial<PersistentVolumeClaimSpec> = {}): Promise<void> {
  await world.client.create(persistentVolumeClaims, {
    metadata: key,
    spec: { accessModes: ['ReadWriteOnce'], storageClassName: '', resources: { requests: { storage } }, ...more },
  })
  await world.clock.settle()
}

const claim = async (world: World) => {
  const { spec, status } = await world.client.get(persistentVolumeClaims, key)
  return [status?.phase, spec?.volumeName, status?.capacity?.['storage']]
}
const phase = async (world: World, name: string) => (await world.client.get(persistentVolumes, { name })).status?.phase

test('a claim gets the smallest volume that is large enough', async () => {
  await using world = await start()
  await addVolume(world, 'small', '1Gi')
  await addVolume(world, 'large', '10Gi')
  await addVolume(world, 'fits', '5Gi')
  assert.equal(await phase(world, 'fits'), 'Available')
  await addClaim(world, '4Gi')
  assert.deepEqual(await claim(world), ['Bound', 'fits', '5Gi'])
  assert.equal(await phase(world, 'fits'), 'Bound')
  assert.equal((await world.client.get(persistentVolumes, { name: 'fits' })).spec?.claimRef?.name, 'c')
})

test('a claim waits for a volume, and says so', async () => {
  await using world = await start()
  await addClaim(world, '1Gi')
  assert.deepEqual((await claim(world))[0], 'Pending')
  assert.ok((await world.client.list(events)).items.some(({ reason }) => reason === 'FailedBinding'))
  await addVolume(world, 'late', '1Gi')
  assert.deepEqual(await claim(world), ['Bound', 'late', '1Gi'])
})

test('a volume whose claim is gone is released, and lost to a claim when it goes itself', async () => {
  await using world = await start()
  await addVolume(world, 'v', '1Gi')
  await addClaim(world, '1Gi')
  await world.client.delete(persistentVolumeClaims, key)
  await world.clock.advance(1000)
  assert.equal(await phase(world, 'v'), 'Released')
})

test('of a class with a provisioner a volume is asked for, when the pod has its node', async () => {
  await using world = await start()
  await world.client.create(storageClasses, {
    metadata: { name: 'fast' },
    provisioner: 'example.com/csi',
    volumeBindingMode: 'WaitForFirstConsumer',
  })
  await addClaim(world, '1Gi', { storageClassName: 'fast' })
  assert.ok((await world.client.list(events)).items.some(({ reason }) => reason === 'WaitForFirstConsumer'))
  await world.client.patch(
    persistentVolumeClaims,
    key,
    { metadata: { annotations: { 'volume.kubernetes.io/selected-node': 'n' } } },
    { type: 'merge' },
  )
  await world.clock.settle()
  const { metadata } = await world.client.get(persistentVolumeClaims, key)
  assert.equal(metadata.annotations?.['volume.kubernetes.io/storage-provisioner'], 'example.com/csi')
})

test('a claim that a pod uses goes only after the pod', async () => {
  await using world = await start()
  await addClaim(world, '1Gi')
  await world.client.create(pods, {
    metadata: { namespace: 'default', name: 'p' },
    spec: {
      nodeName: 'n',
      containers: [{ name: 'c', image: 'a' }],
      volumes: [{ name: 'v', persistentVolumeClaim: { claimName: 'c' } }],
    },
  })
  await world.client.delete(persistentVolumeClaims, key)
  await world.clock.settle()
  assert.ok((await world.client.get(persistentVolumeClaims, key)).metadata.deletionTimestamp)
  await world.client.delete(pods, { namespace: 'default', name: 'p' }, { gracePeriodSeconds: 0 })
  await world.clock.settle()
  assert.equal((await world.client.list(persistentVolumeClaims)).items.length, 0)
})

test('ephemeral volumes get a claim of their pod', async () => {
  await using world = await start()
  await world.client.create(pods, {
    metadata: { namespace: 'default', name: 'p' },
    spec: {
      containers: [{ name: 'c', image: 'a' }],
      volumes: [
        {
          name: 'v',
          ephemeral: {
            volumeClaimTemplate: {
              spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
            },
          },
        },
      ],
    },
  })
  await world.clock.settle()
  const made = await world.client.get(persistentVolumeClaims, { namespace: 'default', name: 'p-v' })
  assert.equal(made.metadata.ownerReferences?.[0]?.kind, 'Pod')
})
