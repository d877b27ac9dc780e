import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { PolicyRule } from '../../api/generated/types/rbac-v1.ts'
import type { Transport } from '../../client/transport.ts'
import type { User } from '../apiserver.ts'
import { startTestServer } from '../server.test-support.ts'
import type { Ask } from './authorizer.ts'
import { coversOf, uncovered } from './rules.ts'

const user: User = { name: 'jane', groups: ['dev', 'system:authenticated'] }
const ask = (more: Partial<Ask>): Ask => ({
  user,
  verb: 'get',
  isResource: true,
  path: '',
  group: '',
  version: 'v1',
  namespace: 'ns',
  resource: 'pods',
  subresource: '',
  name: 'web',
  ...more,
})

for (const [name, rule, asked, want] of [
  ['a rule covers what it names', { verbs: ['get'], apiGroups: [''], resources: ['pods'] }, {}, true],
  ['another verb is not covered', { verbs: ['list'], apiGroups: [''], resources: ['pods'] }, {}, false],
  ['another group is not covered', { verbs: ['get'], apiGroups: ['apps'], resources: ['pods'] }, {}, false],
  [
    'a resource does not cover its subresources',
    { verbs: ['get'], apiGroups: [''], resources: ['pods'] },
    { subresource: 'log' },
    false,
  ],
  ['a star covers subresources', { verbs: ['*'], apiGroups: ['*'], resources: ['*'] }, { subresource: 'log' }, true],
  [
    'a subresource of any resource',
    { verbs: ['get'], apiGroups: [''], resources: ['*/log'] },
    { subresource: 'log' },
    true,
  ],
  [
    'only the named objects',
    { verbs: ['get'], apiGroups: [''], resources: ['pods'], resourceNames: ['other'] },
    {},
    false,
  ],
  [
    'paths with a star at their end',
    { verbs: ['get'], nonResourceURLs: ['/healthz/*'] },
    { isResource: false, path: '/healthz/ping' },
    true,
  ],
  ['paths are no resources', { verbs: ['*'], nonResourceURLs: ['*'] }, {}, false],
] as const satisfies readonly (readonly [string, PolicyRule, Partial<Ask>, boolean])[]) {
  test(`rules: ${name}`, () => assert.equal(coversOf([rule as PolicyRule])(ask(asked)), want))
}

test('what one does not have oneself is found out', () => {
  const owned: PolicyRule[] = [{ verbs: ['get', 'list'], apiGroups: [''], resources: ['pods'] }]
  assert.deepEqual(uncovered(owned, [{ verbs: ['get'], apiGroups: [''], resources: ['pods'] }]), [])
  assert.deepEqual(uncovered(owned, [{ verbs: ['get', 'delete'], apiGroups: [''], resources: ['pods'] }]), [
    { verbs: ['delete'], apiGroups: [''], resources: ['pods'] },
  ])
})

const forbidden = (error: { code?: number }) => error.code === 403

async function allowed(transport: Transport, path: string): Promise<boolean> {
  try {
    await transport.send({ method: 'GET', path })
    return true
  } catch (error) {
    if (forbidden(error as { code?: number })) return false
    throw error
  }
}

test('bindings take effect, and cease to', async (t) => {
  const { server, send, clock } = await startTestServer(t)
  const jane = server.transport(user)
  const path = '/api/v1/namespaces/default/configmaps'
  assert.equal(await allowed(jane, path), false)
  await send('POST', '/apis/rbac.authorization.k8s.io/v1/namespaces/default/roles', {
    metadata: { name: 'r' },
    rules: [{ verbs: ['list'], apiGroups: [''], resources: ['configmaps'] }],
  })
  await send('POST', '/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings', {
    metadata: { name: 'b' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'r' },
    subjects: [{ kind: 'Group', name: 'dev', apiGroup: 'rbac.authorization.k8s.io' }],
  })
  await clock.settle()
  assert.equal(await allowed(jane, path), true)
  assert.equal(await allowed(jane, '/api/v1/namespaces/kube-system/configmaps'), false)
  await send('DELETE', '/apis/rbac.authorization.k8s.io/v1/namespaces/default/rolebindings/b')
  await clock.settle()
  assert.equal(await allowed(jane, path), false)
})

test('nobody grants what they do not have', async (t) => {
  const { server, send, clock } = await startTestServer(t)
  await send('POST', '/apis/rbac.authorization.k8s.io/v1/clusterroles', {
    metadata: { name: 'r' },
    rules: [{ verbs: ['create'], apiGroups: ['rbac.authorization.k8s.io'], resources: ['clusterroles'] }],
  })
  await send('POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    metadata: { name: 'b' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'r' },
    subjects: [{ kind: 'User', name: 'jane', apiGroup: 'rbac.authorization.k8s.io' }],
  })
  await clock.settle()
  const jane = server.transport(user)
  const make = (verb: string, name: string) =>
    jane.send({
      method: 'POST',
      path: '/apis/rbac.authorization.k8s.io/v1/clusterroles',
      body: {
        metadata: { name },
        rules: [{ verbs: [verb], apiGroups: ['rbac.authorization.k8s.io'], resources: ['clusterroles'] }],
      },
    })
  await make('create', 'same')
  await assert.rejects(make('delete', 'more'), forbidden)
})

test('who is refused is told of a binding whose role is missing', async (t) => {
  const { server, send, clock } = await startTestServer(t)
  await send('POST', '/apis/rbac.authorization.k8s.io/v1/clusterrolebindings', {
    metadata: { name: 'b' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'none' },
    subjects: [{ kind: 'User', name: 'jane', apiGroup: 'rbac.authorization.k8s.io' }],
  })
  await clock.settle()
  await assert.rejects(server.transport(user).send({ method: 'GET', path: '/api/v1/nodes' }), {
    message:
      'nodes is forbidden: User "jane" cannot list resource "nodes" in API group "" at the cluster scope: RBAC: clusterrole.rbac.authorization.k8s.io "none" not found',
  })
})

test('a node reads the secrets of its own pods only', async (t) => {
  const { server, send, clock } = await startTestServer(t)
  for (const name of ['mine', 'other']) await send('POST', '/api/v1/namespaces/default/secrets', { metadata: { name } })
  await send('POST', '/api/v1/namespaces/default/pods', {
    metadata: { name: 'p' },
    spec: {
      nodeName: 'n',
      containers: [{ name: 'main', image: 'app:1' }],
      volumes: [{ name: 's', secret: { secretName: 'mine' } }],
    },
  })
  await clock.settle()
  const node = server.transport({ name: 'system:node:n', groups: ['system:nodes', 'system:authenticated'] })
  assert.equal(await allowed(node, '/api/v1/namespaces/default/secrets/mine'), true)
  assert.equal(await allowed(node, '/api/v1/namespaces/default/secrets/other'), false)
  const stranger = server.transport({ name: 'system:node:m', groups: ['system:nodes', 'system:authenticated'] })
  assert.equal(await allowed(stranger, '/api/v1/namespaces/default/secrets/mine'), false)
})
