import assert from 'node:assert/strict'
import test from 'node:test'
import { clusterRoleBindings, clusterRoles } from '../../api/generated/resources.ts'
import { VirtualClock } from '../../base/clock.ts'
import { silentLogger } from '../../base/log.ts'
import { Metrics } from '../../base/metrics.ts'
import { seededRandom } from '../../base/random.ts'
import { newClient } from '../../client/client.ts'
import { openMemoryStore } from '../../store/memory/memory-store.ts'
import { startApiServer } from '../apiserver.ts'

const deploying = { name: 'system:controller:deployment-controller' }
const expanding = { name: 'system:controller:expand-controller' }

test('a start gives default roles what they lack, keeps what was added, and leaves alone what is said to be left alone', async (t) => {
  const deps = { clock: new VirtualClock(), random: seededRandom(1), log: silentLogger, metrics: new Metrics() }
  const store = openMemoryStore(deps)
  const start = async () => {
    const server = await startApiServer({ ...deps, store, freeze: true })
    return { server, client: newClient(server.transport({ name: 'admin', groups: ['system:masters'] })) }
  }
  const first = await start()
  const before = await first.client.get(clusterRoles, deploying)
  const added = { apiGroups: ['example.com'], resources: ['toys'], verbs: ['get'] }
  const narrowed = [...before.rules!.filter(({ resources }) => !resources?.includes('replicasets')), added]
  await first.client.update(clusterRoles, { ...before, rules: narrowed })
  const mine = await first.client.get(clusterRoles, expanding)
  await first.client.update(clusterRoles, {
    ...mine,
    metadata: { ...mine.metadata, annotations: { 'rbac.authorization.kubernetes.io/autoupdate': 'false' } },
    rules: [added],
  })
  const binding = await first.client.get(clusterRoleBindings, deploying)
  await first.client.update(clusterRoleBindings, {
    ...binding,
    subjects: [{ kind: 'User', apiGroup: 'rbac.authorization.k8s.io', name: 'jane' }],
  })
  const untouched = await first.client.get(clusterRoles, { name: 'system:kube-scheduler' })
  await first.server.close()

  const { server, client } = await start()
  t.after(() => server.close())
  const after = await client.get(clusterRoles, deploying)
  assert.deepEqual(after.rules!.slice(0, narrowed.length), narrowed)
  const restored = after.rules!.slice(narrowed.length)
  assert.ok(
    restored.some(
      ({ apiGroups, resources, verbs }) =>
        apiGroups?.[0] === 'apps' &&
        resources?.[0] === 'replicasets' &&
        verbs.includes('create') &&
        verbs.includes('delete'),
    ),
  )
  assert.deepEqual((await client.get(clusterRoles, expanding)).rules, [added])
  assert.deepEqual(
    (await client.get(clusterRoleBindings, deploying)).subjects?.map(({ name }) => name),
    ['jane', 'deployment-controller'],
  )
  assert.equal(
    (await client.get(clusterRoles, { name: 'system:kube-scheduler' })).metadata.resourceVersion,
    untouched.metadata.resourceVersion,
    'what lacks nothing is not written',
  )
})
