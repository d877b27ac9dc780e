import assert from 'node:assert/strict'
import { test } from 'node:test'
import { events, persistentVolumeClaims, pods, statefulSets } from '../../api/generated/resources.ts'
import type { StatefulSet, StatefulSetSpec } from '../../api/generated/types/apps-v1.ts'
import { startWorld, type World } from '../testing/world.ts'

const key = { namespace: 'default', name: 'db' }
const set = (changes: Partial<StatefulSetSpec> = {}): StatefulSet => ({
  metadata: key,
  spec: {
    replicas: 3,
    serviceName: 'db',
    selector: { matchLabels: { app: 'db' } },
    template: { metadata: { labels: { app: 'db' } }, spec: { containers: [{ name: 'c', image: 'a:1' }] } },
    ...changes,
  },
})

const claimSpec = { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } }
const start = () => startWorld(['statefulset-controller'])
const names = async (world: World) => (await world.pods()).map(({ metadata }) => metadata.name)
const images = async (world: World) =>
  (await world.pods()).map(({ metadata, spec }) => `${metadata.name} ${spec?.containers[0]?.image}`).sort()
const change = async (world: World, patch: object) => {
  await world.client.patch(statefulSets, key, patch, { type: 'merge' })
  await world.clock.settle()
}
const newImage = { spec: { template: { spec: { containers: [{ name: 'c', image: 'a:2' }] } } } }

test('pods come one after the other, each when the one before it serves', async () => {
  await using world = await start()
  await world.client.create(statefulSets, set())
  await world.clock.settle()
  assert.deepEqual(await names(world), ['db-0'])
  await world.runPods()
  assert.deepEqual(await names(world), ['db-0', 'db-1'])
  await world.runPods()
  await world.runPods()
  assert.deepEqual(await names(world), ['db-0', 'db-1', 'db-2'])
  const { status } = await world.client.get(statefulSets, key)
  assert.deepEqual(
    [status?.replicas, status?.readyReplicas, status?.currentReplicas, status?.updatedReplicas],
    [3, 3, 3, 3],
  )
  assert.equal(status?.currentRevision, status?.updateRevision)
  const pod = await world.client.get(pods, { namespace: 'default', name: 'db-1' })
  assert.equal(pod.spec?.hostname, 'db-1')
  assert.equal(pod.spec?.subdomain, 'db')
  assert.equal(pod.metadata.labels?.['apps.kubernetes.io/pod-index'], '1')
})

test('with the policy Parallel all come at once', async () => {
  await using world = await start()
  await world.client.create(statefulSets, set({ podManagementPolicy: 'Parallel' }))
  await world.clock.settle()
  assert.equal((await names(world)).length, 3)
})

test('an update begins at the last pod, waits for it, and stops at the partition', async () => {
  await using world = await start()
  await world.client.create(
    statefulSets,
    set({ updateStrategy: { type: 'RollingUpdate', rollingUpdate: { partition: 1 } } }),
  )
  for (let i = 0; i < 4; i++) await world.runPods()
  await world.clock.settle()
  for (let i = 0; i < 4; i++) await world.runPods()
  await change(world, newImage)
  assert.deepEqual(await images(world), ['db-0 a:1', 'db-1 a:1', 'db-2 a:2'])
  for (let i = 0; i < 4; i++) await world.runPods()
  assert.deepEqual(await images(world), ['db-0 a:1', 'db-1 a:2', 'db-2 a:2'])
  await world.client.delete(pods, { namespace: 'default', name: 'db-0' })
  await world.clock.settle()
  assert.deepEqual(await images(world), ['db-0 a:1', 'db-1 a:2', 'db-2 a:2'])
})

test('scaling down gives up the last one first, and keeps its claim', async () => {
  await using world = await start()
  await world.client.create(
    statefulSets,
    set({ volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: claimSpec }] }),
  )
  for (let i = 0; i < 5; i++) {
    await world.clock.settle()
    await world.runPods()
  }
  assert.deepEqual(
    (await world.client.list(persistentVolumeClaims)).items.map(({ metadata }) => metadata.name),
    ['data-db-0', 'data-db-1', 'data-db-2'],
  )
  await change(world, { spec: { replicas: 1 } })
  assert.deepEqual(await names(world), ['db-0'])
  assert.equal((await world.client.list(persistentVolumeClaims)).items.length, 3)
})

test('claims belong to the set when they shall go with it', async () => {
  await using world = await start()
  await world.client.create(
    statefulSets,
    set({
      replicas: 1,
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Retain' },
      volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: claimSpec }],
    }),
  )
  await world.clock.settle()
  await world.runPods()
  const [claim] = (await world.client.list(persistentVolumeClaims)).items
  assert.deepEqual(
    claim?.metadata.ownerReferences?.map(({ kind, name }) => [kind, name]),
    [['StatefulSet', 'db']],
  )
})

test('of a claim that somebody else manages it is said that it stays', async () => {
  await using world = await start()
  const manager = { apiVersion: 'example.com/v1', kind: 'Backup', name: 'b', uid: 'u', controller: true }
  await world.client.create(persistentVolumeClaims, {
    metadata: { namespace: 'default', name: 'data-db-0', ownerReferences: [manager] },
    spec: claimSpec,
  })
  await world.client.create(
    statefulSets,
    set({
      replicas: 1,
      volumeClaimTemplates: [{ metadata: { name: 'data' }, spec: claimSpec }],
      persistentVolumeClaimRetentionPolicy: { whenDeleted: 'Delete', whenScaled: 'Retain' },
    }),
  )
  await world.clock.advance(5_000)
  const claim = await world.client.get(persistentVolumeClaims, { namespace: 'default', name: 'data-db-0' })
  assert.deepEqual(
    claim.metadata.ownerReferences?.map(({ uid }) => uid),
    ['u'],
  )
  const told = (await world.client.list(events)).items.find(({ reason }) => reason === 'ConflictingController')
  assert.match(told?.message ?? '', /^PersistentVolumeClaim data-db-0 has a conflicting OwnerReference/)
})

test('ordinals may begin elsewhere', async () => {
  await using world = await start()
  await world.client.create(statefulSets, set({ replicas: 2, ordinals: { start: 5 }, podManagementPolicy: 'Parallel' }))
  await world.clock.settle()
  assert.deepEqual(await names(world), ['db-5', 'db-6'])
})

test('a pod that ended is made again', async () => {
  await using world = await start()
  await world.client.create(statefulSets, set({ replicas: 1 }))
  await world.clock.settle()
  const [pod] = await world.pods()
  await world.client.updateStatus(pods, { ...pod!, status: { phase: 'Failed' } })
  await world.clock.advance(2000)
  const [again] = await world.pods()
  assert.notEqual(again?.metadata.uid, pod?.metadata.uid)
})
