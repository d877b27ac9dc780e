import assert from 'node:assert/strict'
import { test } from 'node:test'
import { deployments, events, replicaSets } from '../../api/generated/resources.ts'
import type { Deployment, ReplicaSet } from '../../api/generated/types/apps-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { startWorld, type World } from '../testing/world.ts'

const controllers = ['deployment-controller', 'replicaset-controller']
const key = { namespace: 'default', name: 'web' }

function web(image: string, changes: Partial<Deployment['spec'] & object> = {}): Deployment {
  const labels = { app: 'web' }
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: key,
    spec: {
      replicas: 3,
      progressDeadlineSeconds: 600,
      revisionHistoryLimit: 10,
      selector: { matchLabels: labels },
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: '25%', maxUnavailable: '25%' } },
      template: { metadata: { labels }, spec: { containers: [{ name: 'web', image }] } },
      ...changes,
    },
  }
}

async function change(world: World, patch: object): Promise<void> {
  await world.client.patch(deployments, key, patch, { type: 'merge' })
  await world.clock.settle()
}

const setImage = (world: World, image: string) =>
  change(world, { spec: { template: { spec: { containers: [{ name: 'web', image }] } } } })
const deployment = (world: World): Promise<Frozen<Deployment>> => world.client.get(deployments, key)
const image = (rs: Frozen<ReplicaSet>) => rs.spec?.template?.spec?.containers[0]?.image ?? ''
/** ReplicaSets by image. */
const setsOf = async (world: World) =>
  [...(await world.client.list(replicaSets)).items].sort((a, b) => (image(a) < image(b) ? -1 : 1))
const sizes = async (world: World) => (await setsOf(world)).map((rs) => rs.spec?.replicas)
const condition = async (world: World, type: string) =>
  (await deployment(world)).status?.conditions?.find((each) => each.type === type)

async function runToEnd(world: World): Promise<void> {
  for (let i = 0; i < 20; i++) {
    await world.runPods()
    await world.clock.advance(1000)
  }
}

test('a new Deployment gets its pods and becomes complete', async () => {
  await using world = await startWorld(controllers)
  await world.client.create(deployments, web('a:1'))
  await world.clock.settle()
  assert.equal((await world.pods()).length, 3)
  assert.equal((await condition(world, 'Available'))?.status, 'False')
  await world.runPods()
  const { status, metadata } = await deployment(world)
  assert.equal(status?.availableReplicas, 3)
  assert.equal(status?.updatedReplicas, 3)
  assert.equal(metadata.annotations?.['deployment.kubernetes.io/revision'], '1')
  assert.equal((await condition(world, 'Progressing'))?.reason, 'NewReplicaSetAvailable')
  assert.equal((await condition(world, 'Available'))?.status, 'True')
  const rs = (await world.client.list(replicaSets)).items[0]
  assert.match(rs?.metadata.name ?? '', /^web-[bcdfghjklmnpqrstvwxz2456789]{1,10}$/)
  assert.equal(rs?.metadata.labels?.['pod-template-hash'], rs?.metadata.name?.slice(4))
})

test('a rollout never has too many pods nor too few that serve', async () => {
  await using world = await startWorld(controllers)
  await world.client.create(deployments, web('a:1', { replicas: 4 }))
  await world.clock.settle()
  await world.runPods()
  await setImage(world, 'a:2')
  for (let i = 0; i < 10; i++) {
    const all = await world.pods()
    assert.ok(all.length <= 5, `${all.length} pods`)
    assert.ok(all.filter((pod) => pod.status?.phase === 'Running').length >= 3)
    await world.runPods()
  }
  assert.deepEqual(
    (await world.pods()).map((pod) => pod.spec?.containers[0]?.image),
    ['a:2', 'a:2', 'a:2', 'a:2'],
  )
  assert.deepEqual(await sizes(world), [0, 4])
  assert.equal((await deployment(world)).metadata.annotations?.['deployment.kubernetes.io/revision'], '2')
})

test('going back to an old template uses its ReplicaSet and numbers it anew', async () => {
  await using world = await startWorld(controllers)
  await world.client.create(deployments, web('a:1'))
  await runToEnd(world)
  await setImage(world, 'a:2')
  await runToEnd(world)
  await setImage(world, 'a:1')
  await runToEnd(world)
  const sets = await setsOf(world)
  assert.equal(sets.length, 2)
  assert.equal(sets[0]?.metadata.annotations?.['deployment.kubernetes.io/revision'], '3')
  assert.equal(sets[0]?.metadata.annotations?.['deployment.kubernetes.io/revision-history'], '1')
  assert.deepEqual(await sizes(world), [3, 0])
})

test('a bad image leaves the old pods serving and runs out of time', async () => {
  await using world = await startWorld(controllers)
  await world.client.create(deployments, web('a:1', { replicas: 4 }))
  await runToEnd(world)
  await setImage(world, 'bad')
  await world.clock.advance(599_000)
  assert.equal((await condition(world, 'Progressing'))?.status, 'True')
  await world.clock.advance(10_000)
  const progressing = await condition(world, 'Progressing')
  assert.equal(progressing?.reason, 'ProgressDeadlineExceeded')
  assert.match(progressing?.message ?? '', /^ReplicaSet "web-\w+" has timed out progressing\.$/)
  assert.equal((await world.pods()).filter((pod) => pod.status?.phase === 'Running').length, 3)
})

test('Recreate ends all old pods before it makes the first new one', async () => {
  await using world = await startWorld(controllers)
  await world.client.create(deployments, web('a:1', { strategy: { type: 'Recreate' } }))
  await runToEnd(world)
  const seen = new Set<string>()
  await setImage(world, 'a:2')
  for (const pod of await world.pods()) seen.add(pod.spec?.containers[0]?.image ?? '')
  assert.deepEqual([...seen], ['a:2'])
  await runToEnd(world)
  assert.deepEqual(await sizes(world), [0, 3])
})

test('a paused Deployment follows its size and nothing else', async () => {
  await using world = await startWorld(controllers)
  await world.client.create(deployments, web('a:1'))
  await runToEnd(world)
  await change(world, {
    spec: { paused: true, replicas: 5, template: { spec: { containers: [{ name: 'web', image: 'a:2' }] } } },
  })
  assert.deepEqual(await sizes(world), [5])
  assert.equal((await condition(world, 'Progressing'))?.reason, 'DeploymentPaused')
  await change(world, { spec: { paused: false } })
  await runToEnd(world)
  assert.deepEqual(await sizes(world), [0, 5])
})

test('scaling in the middle of a rollout is shared in proportion', async () => {
  await using world = await startWorld(controllers)
  await world.client.create(
    deployments,
    web('a:1', {
      replicas: 10,
      strategy: { type: 'RollingUpdate', rollingUpdate: { maxSurge: 3, maxUnavailable: 2 } },
    }),
  )
  await runToEnd(world)
  await setImage(world, 'bad')
  assert.deepEqual(await sizes(world), [8, 5])
  await change(world, { spec: { replicas: 15 } })
  // 18 are allowed with the surge: 8/13 and 5/13 of the 5 more.
  assert.deepEqual(await sizes(world), [11, 7])
})

test('old ReplicaSets beyond the history limit are deleted', async () => {
  await using world = await startWorld(controllers)
  await world.client.create(deployments, web('a:1', { revisionHistoryLimit: 1 }))
  await runToEnd(world)
  for (const image of ['a:2', 'a:3', 'a:4']) {
    await setImage(world, image)
    await runToEnd(world)
  }
  assert.deepEqual(await sizes(world), [0, 3])
})

test('scaling is told in events', async () => {
  await using world = await startWorld(controllers)
  await world.client.create(deployments, web('a:1'))
  await world.clock.settle()
  const told = (await world.client.list(events)).items.filter(({ reason }) => reason === 'ScalingReplicaSet')
  assert.match(told[0]?.message ?? '', /^Scaled up replica set web-\w+ from 0 to 3$/)
  assert.equal(told[0]?.source?.component, 'deployment-controller')
  assert.equal(told[0]?.involvedObject.kind, 'Deployment')
})

test('when all is done nothing is written any more', async () => {
  await using world = await startWorld(controllers)
  await world.client.create(deployments, web('a:1'))
  await runToEnd(world)
  world.writes.length = 0
  await world.clock.advance(3_600_000)
  assert.deepEqual(world.writes, [])
})

test('a pod that is deleted is made again', async () => {
  await using world = await startWorld(controllers)
  await world.client.create(deployments, web('a:1'))
  await runToEnd(world)
  const [first] = await world.pods()
  await world.client.delete(
    { group: '', version: 'v1', kind: 'Pod', plural: 'pods', namespaced: true },
    { namespace: 'default', name: first?.metadata.name ?? '' },
  )
  await world.clock.settle()
  assert.equal((await world.pods()).length, 3)
})

const rollBackTo = (world: World, revision: string) =>
  change(world, { metadata: { annotations: { 'deprecated.deployment.rollback.to': revision } } })

test('the annotation of old clients goes back to a revision, and is taken off', async () => {
  await using world = await startWorld(controllers)
  await world.client.create(deployments, web('app:1'))
  await world.clock.settle()
  for (const next of ['app:2', 'app:3']) await setImage(world, next)
  const templateImage = async () => (await deployment(world)).spec?.template.spec?.containers[0]?.image
  await rollBackTo(world, '1')
  assert.equal(await templateImage(), 'app:1')
  await rollBackTo(world, '0') // the revision before this one
  assert.equal(await templateImage(), 'app:3')
  assert.equal((await deployment(world)).metadata.annotations?.['deprecated.deployment.rollback.to'], undefined)
})

test('a revision that is not there, or is the present one, changes nothing and is told', async () => {
  await using world = await startWorld(controllers)
  await world.client.create(deployments, web('app:1'))
  await world.clock.settle()
  for (const revision of ['7', '1', '0']) await rollBackTo(world, revision)
  const told = (await world.client.list(events)).items.filter(({ reason }) => reason?.startsWith('DeploymentRollback'))
  assert.deepEqual(told.map(({ reason, message }) => `${reason}: ${message}`).sort(), [
    'DeploymentRollbackRevisionNotFound: Unable to find last revision.',
    'DeploymentRollbackRevisionNotFound: Unable to find the revision to rollback to.',
    'DeploymentRollbackTemplateUnchanged: The rollback revision contains the same template as current deployment "web"',
  ])
  assert.equal((await deployment(world)).metadata.annotations?.['deprecated.deployment.rollback.to'], undefined)
})
