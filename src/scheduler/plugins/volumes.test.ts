import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  csiDrivers,
  csiNodes,
  csiStorageCapacities,
  persistentVolumeClaims,
  persistentVolumes,
  storageClasses,
  volumeAttachments,
} from '../../api/generated/resources.ts'
import type { PersistentVolume, PersistentVolumeClaim, Pod } from '../../api/generated/types/core-v1.ts'
import { aNode, aPod, TestWorld } from '../testing/world.ts'

const zone = 'topology.kubernetes.io/zone'

const usesClaim = (name: string, claim: string, wishes: Parameters<typeof aPod>[1] = {}): Pod =>
  aPod(name, { volumes: [{ name: 'data', persistentVolumeClaim: { claimName: claim } }], ...wishes })

interface ClaimWishes {
  readonly className?: string
  readonly volume?: string
  readonly modes?: string[]
  readonly size?: string
  readonly annotations?: Record<string, string>
}

function aClaim(
  name: string,
  { className = 'late', volume, modes = ['ReadWriteOnce'], size = '1Gi', annotations = {} }: ClaimWishes = {},
): PersistentVolumeClaim {
  return {
    metadata: {
      name,
      namespace: 'default',
      uid: `uid-${name}`,
      resourceVersion: '1',
      annotations: { ...annotations, ...(volume !== undefined && { 'pv.kubernetes.io/bind-completed': 'yes' }) },
    },
    spec: {
      storageClassName: className,
      accessModes: modes,
      resources: { requests: { storage: size } },
      ...(volume !== undefined && { volumeName: volume }),
    },
  }
}

function aVolume(
  name: string,
  {
    node,
    labels,
    size = '1Gi',
    className = 'late',
    driver,
  }: { node?: string; labels?: Record<string, string>; size?: string; className?: string; driver?: string } = {},
): PersistentVolume {
  return {
    metadata: { name, resourceVersion: '1', ...(labels && { labels }) },
    spec: {
      storageClassName: className,
      capacity: { storage: size },
      accessModes: ['ReadWriteOnce'],
      ...(driver !== undefined && { csi: { driver, volumeHandle: `handle-${name}` } }),
      ...(node !== undefined && {
        nodeAffinity: {
          required: {
            nodeSelectorTerms: [
              { matchExpressions: [{ key: 'kubernetes.io/hostname', operator: 'In', values: [node] }] },
            ],
          },
        },
      }),
    },
    status: { phase: 'Available' },
  }
}

function aWorld(): TestWorld {
  const world = new TestWorld([aNode('a', { labels: { [zone]: 'x' } }), aNode('b', { labels: { [zone]: 'y' } })])
  world.put(storageClasses, {
    metadata: { name: 'late' },
    provisioner: 'kubernetes.io/no-provisioner',
    volumeBindingMode: 'WaitForFirstConsumer',
  })
  world.put(storageClasses, {
    metadata: { name: 'made' },
    provisioner: 'disk.example.com',
    volumeBindingMode: 'WaitForFirstConsumer',
  })
  world.put(storageClasses, {
    metadata: { name: 'now' },
    provisioner: 'disk.example.com',
    volumeBindingMode: 'Immediate',
  })
  return world
}

describe('VolumeBinding', () => {
  test('a Pod waits for its claim to exist, and for one that is bound at once to be bound', () => {
    const world = aWorld()
    assert.deepEqual(world.reasons(usesClaim('p', 'c')), { '*': ['persistentvolumeclaim "c" not found'] })
    world.put(persistentVolumeClaims, aClaim('c', { className: 'now' }))
    assert.deepEqual(world.reasons(usesClaim('p', 'c')), { '*': ['pod has unbound immediate PersistentVolumeClaims'] })
  })

  test('a claim that is made for a Pod is waited for in its own words', () => {
    const pod = aPod('p', { volumes: [{ name: 'tmp', ephemeral: { volumeClaimTemplate: { spec: {} } } }] })
    const world = aWorld()
    assert.match(
      world.reasons(pod)['*']![0]!,
      /not found|waiting for ephemeral volume controller to create the persistentvolumeclaim "p-tmp"/,
    )
    world.put(persistentVolumeClaims, aClaim('p-tmp', { className: 'made' }))
    assert.deepEqual(world.reasons(pod), {
      '*': ['PVC default/p-tmp was not created for pod default/p (pod is not owner)'],
    })
  })

  test('a bound volume keeps a Pod on the nodes it can be reached from', () => {
    const world = aWorld()
    world.put(persistentVolumes, aVolume('v', { node: 'b' }))
    world.put(persistentVolumeClaims, aClaim('c', { volume: 'v' }))
    assert.equal(world.place(usesClaim('p', 'c')), 'b')
    world.cache.removeNode('b')
    assert.deepEqual(world.reasons(usesClaim('q', 'c')), {
      a: ["node(s) didn't match PersistentVolume's node affinity"],
    })
  })

  test('a claim that waits for its Pod goes where a volume is, and the volume is given only once', () => {
    const world = aWorld()
    world.put(persistentVolumes, aVolume('v', { node: 'b' }))
    for (const name of ['c', 'd']) world.put(persistentVolumeClaims, aClaim(name))
    const info = world.cache.infoOf(usesClaim('p', 'c'))
    const found = world.find(info.pod)
    assert.equal(found.node?.name, 'b')
    reserveAll(world, info, found)
    assert.equal(world.volumes.volume('v')?.spec?.claimRef?.name, 'c')
    const none = ["node(s) didn't find available persistent volumes to bind"]
    assert.deepEqual(world.reasons(usesClaim('q', 'd')), { a: none, b: none })
    world.volumes.takeBack(info.key)
    assert.equal(world.find(usesClaim('q', 'd')).node?.name, 'b')
  })

  test('the smallest volume that will do is taken', () => {
    const world = aWorld()
    for (const [name, size] of [
      ['big', '9Gi'],
      ['small', '1Gi'],
      ['right', '3Gi'],
    ] as const)
      world.put(persistentVolumes, aVolume(name, { node: 'a', size }))
    world.put(persistentVolumeClaims, aClaim('c', { size: '2Gi' }))
    const info = world.cache.infoOf(usesClaim('p', 'c'))
    reserveAll(world, info, world.find(info.pod))
    assert.deepEqual(
      world.volumes.plan(info.key)?.bindings.map(({ volume }) => volume.metadata.name),
      ['right'],
    )
  })

  test('a volume that has to be made is made where the class allows it and the driver has room', () => {
    const world = aWorld()
    world.put(storageClasses, {
      metadata: { name: 'made' },
      provisioner: 'disk.example.com',
      volumeBindingMode: 'WaitForFirstConsumer',
      allowedTopologies: [{ matchLabelExpressions: [{ key: zone, values: ['y'] }] }],
    })
    world.put(persistentVolumeClaims, aClaim('c', { className: 'made' }))
    const info = world.cache.infoOf(usesClaim('p', 'c'))
    const found = world.find(info.pod)
    assert.equal(found.node?.name, 'b')
    reserveAll(world, info, found)
    assert.deepEqual(
      world.volumes.plan(info.key)?.provisions.map(({ metadata }) => metadata.name),
      ['c'],
    )
    world.volumes.takeBack(info.key)
    world.put(csiDrivers, { metadata: { name: 'disk.example.com' }, spec: { storageCapacity: true } })
    world.put(csiStorageCapacities, {
      metadata: { name: 'y', namespace: 'kube-system' },
      storageClassName: 'made',
      capacity: '500Mi',
      nodeTopology: { matchLabels: { [zone]: 'y' } },
    })
    assert.deepEqual(world.reasons(info.pod)['b'], ['node(s) did not have enough free storage'])
  })

  test('a claim for which a node was selected before keeps it', () => {
    const world = aWorld()
    world.put(
      persistentVolumeClaims,
      aClaim('c', { className: 'made', annotations: { 'volume.kubernetes.io/selected-node': 'a' } }),
    )
    assert.equal(world.find(usesClaim('p', 'c')).node?.name, 'a')
  })

  function reserveAll(
    world: TestWorld,
    info: ReturnType<TestWorld['cache']['infoOf']>,
    { node, states }: ReturnType<TestWorld['find']>,
  ): void {
    for (const { plugin } of world.search.plugins) plugin.reserve?.(info, node!, world, states.get(plugin))
  }
})

describe('VolumeZone', () => {
  test('a Pod goes to the zone that its volume is labelled with', () => {
    const world = aWorld()
    world.put(persistentVolumes, aVolume('v', { labels: { [zone]: 'y__z' } }))
    world.put(persistentVolumeClaims, aClaim('c', { volume: 'v' }))
    assert.equal(world.place(usesClaim('p', 'c')), 'b')
    world.cache.removeNode('b')
    assert.deepEqual(world.reasons(usesClaim('q', 'c')), { a: ['node(s) had no available volume zone'] })
    world.cache.setNode(aNode('a'))
    assert.equal(world.place(usesClaim('q', 'c')), 'a')
  })

  test('a label with the old name asks for the new one', () => {
    const world = aWorld()
    world.put(persistentVolumes, aVolume('v', { labels: { 'failure-domain.beta.kubernetes.io/zone': 'x' } }))
    world.put(persistentVolumeClaims, aClaim('c', { volume: 'v' }))
    assert.equal(world.place(usesClaim('p', 'c')), 'a')
  })
})

describe('VolumeRestrictions', () => {
  test('a claim for one Pod at a time is refused to a second one on every node', () => {
    const world = aWorld()
    world.put(persistentVolumes, aVolume('v'))
    world.put(persistentVolumeClaims, aClaim('c', { volume: 'v', modes: ['ReadWriteOncePod'] }))
    assert.ok(world.place(usesClaim('p', 'c')))
    const taken = [
      'node(s) unavailable due to PersistentVolumeClaim with ReadWriteOncePod access mode already in-use by another pod',
    ]
    assert.deepEqual(world.reasons(usesClaim('q', 'c')), { a: taken, b: taken })
  })

  test('a network disk is used by one Pod of a node, unless all only read', () => {
    const disk = (readOnly: boolean) => ({ volumes: [{ name: 'd', gcePersistentDisk: { pdName: 'one', readOnly } }] })
    const world = new TestWorld([aNode('a')])
    assert.equal(world.place(aPod('p', disk(true))), 'a')
    assert.equal(world.place(aPod('q', disk(true))), 'a')
    assert.deepEqual(world.reasons(aPod('r', disk(false))), { a: ['node(s) had no available disk'] })
  })
})

describe('NodeVolumeLimits', () => {
  test('a node takes as many volumes of a driver as it says, each counted once, attached ones too', () => {
    const world = new TestWorld([aNode('a')])
    world.put(csiNodes, {
      metadata: { name: 'a' },
      spec: { drivers: [{ name: 'disk', nodeID: 'a', allocatable: { count: 2 } }] },
    })
    for (const name of ['1', '2', '3']) {
      world.put(persistentVolumes, aVolume(`v${name}`, { driver: 'disk' }))
      world.put(persistentVolumeClaims, aClaim(`c${name}`, { volume: `v${name}` }))
    }
    assert.equal(world.place(usesClaim('p1', 'c1')), 'a')
    assert.equal(world.place(usesClaim('p1-again', 'c1')), 'a')
    assert.equal(world.find(usesClaim('p2', 'c2')).node?.name, 'a')
    world.put(volumeAttachments, {
      metadata: { name: 'x' },
      spec: { attacher: 'disk', nodeName: 'a', source: { persistentVolumeName: 'v3' } },
    })
    assert.deepEqual(world.reasons(usesClaim('p2', 'c2')), { a: ['node(s) exceed max volume count'] })
    assert.equal(world.find(usesClaim('p3', 'c3')).node?.name, 'a')
  })
})
