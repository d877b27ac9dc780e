import assert from 'node:assert/strict'
import test from 'node:test'
import { Problem } from '../problem.ts'
import { loadConfig } from './load.ts'

const load = (fileText: string | undefined, flags = {}, env = {}) =>
  loadConfig({ flags, env, file: fileText === undefined ? undefined : 'c.yaml', fileText })
const yaml = (body: string) => `apiVersion: kubernode.dev/v1\nkind: Cluster\n${body}`

test('a flag wins over the environment, that over the file, that over the default, and the source is told', async () => {
  const { config, sources } = await load(
    yaml('nodes: 2\nnetwork: { podCIDR: 10.1.0.0/16, clusterDomain: a.b }\napiServer: { port: 7000 }'),
    { nodes: '4' },
    { KUBERNODE_NODES: '3', KUBERNODE_POD_CIDR: '10.2.0.0/16' },
  )
  assert.deepEqual(
    [config.nodes, config.podCIDR, config.clusterDomain, config.port, config.serviceCIDR],
    [4, '10.2.0.0/16', 'a.b', 7000, '10.96.0.0/12'],
  )
  assert.deepEqual(
    [sources.nodes, sources.podCIDR, sources.port, sources.serviceCIDR],
    ['flag --nodes', 'environment variable KUBERNODE_POD_CIDR', 'file c.yaml', 'default'],
  )
})

test('what nobody says anything about stays as the cluster has it, and the name may come from anywhere', async () => {
  const { config: three } = await load(undefined, { name: 'three', nodes: '3', port: '7000' })
  const { config, sources } = await loadConfig({
    flags: { port: '7001' },
    env: {},
    file: 'c.yaml',
    fileText: yaml('metadata: { name: three }'),
    existing: (name) => (name === 'three' ? three : undefined),
  })
  assert.deepEqual([config.nodes, config.port], [3, 7001])
  assert.deepEqual([sources.name, sources.nodes], ['file c.yaml', 'the cluster as it is'])
})

test('nodes can be a list of roles, and kind’s file gives what it has in common with ours', async () => {
  const { config } = await load(yaml('nodes: [{ role: server }, { role: worker }, { role: worker }]'))
  assert.equal(config.nodes, 3)
  const { config: fromKind } = await load(
    'kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nname: dev\nnodes:\n- role: control-plane\n  image: kindest/node:v1.35.0\n- role: worker\n' +
      'networking: { podSubnet: 10.5.0.0/16, serviceSubnet: 10.6.0.0/16, apiServerPort: 7000 }',
  )
  assert.partialDeepStrictEqual(fromKind, {
    name: 'dev',
    nodes: 2,
    podCIDR: '10.5.0.0/16',
    serviceCIDR: '10.6.0.0/16',
    port: 7000,
  })
})

for (const [name, file, flags, message] of [
  [
    'a node with what nodes do not have',
    yaml('nodes:\n- role: server\n- role: worker\n  mounts: []'),
    {},
    /unknown field nodes\[1\].mounts at line 6, column 3/,
  ],
  [
    'a role that there is not',
    yaml('nodes: [{ role: master }]'),
    {},
    /nodes\[0\].role is "master": it must be one of server, control-plane, worker/,
  ],
  [
    'a second server',
    yaml('nodes: [{ role: server }, { role: control-plane }]'),
    {},
    /nodes\[1\] is another server: a cluster has one/,
  ],
  ['an empty list of nodes', yaml('nodes: []'), {}, /nodes is "0" \(file c.yaml\): it must be a whole number/],
  [
    'what only kind has',
    'kind: Cluster\napiVersion: kind.x-k8s.io/v1alpha4\nnetworking:\n  disableDefaultCNI: true',
    {},
    /unknown field networking.disableDefaultCNI at line 4, column 3$/,
  ],
  [
    'an unknown field, with its place and the nearest name',
    yaml('network:\n  podCidrs: 10.1.0.0/16'),
    {},
    /unknown field network.podCidrs at line 4, column 3; did you mean network.podCIDR\?/,
  ],
  [
    'a value of the wrong shape',
    undefined,
    { nodes: 'three' },
    /nodes is "three" \(flag --nodes\): it must be a whole number/,
  ],
  ['a range that is none', undefined, { podCIDR: '10.1.0.0' }, /must be an IPv4 range/],
  ['another kind', 'apiVersion: v1\nkind: Pod', {}, /apiVersion is "v1": it must be kubernode.dev\/v1/],
  ['text that is not YAML', '{', {}, /c.yaml is not YAML/],
  ['a list where a map is expected', yaml('network: []'), {}, /network must be a map/],
  ['a map where a value is expected', yaml('nodes: { count: 3 }'), {}, /nodes must be a single value/],
  ['a field without a value', yaml('nodes:'), {}, /nodes must be a single value/],
  ['a document that is no map', '3', {}, /the document must be a map/],
  [
    'another kind of the same version',
    'apiVersion: kubernode.dev/v1\nkind: Node',
    {},
    /kind is "Node": it must be Cluster/,
  ],
  ['an unknown field like no other', yaml('color: blue'), {}, /unknown field color at line 3, column 1$/],
  [
    'more nodes than a machine takes',
    undefined,
    { nodes: '100000' },
    /nodes is "100000" \(flag --nodes\): it must be a whole number from 1 to 5000/,
  ],
  [
    'a port that is none',
    yaml('apiServer: { port: 0 }'),
    {},
    /apiServer.port is "0" \(file c.yaml\): it must be a whole number from 1 to 65535/,
  ],
  [
    'a name that no folder can have',
    yaml('metadata: { name: ../up }'),
    {},
    /metadata.name is "..\/up" \(file c.yaml\): it must be at most 32 lower-case letters/,
  ],
] as const) {
  test(`refused: ${name}`, async () => {
    await assert.rejects(
      load(file, flags),
      (error) => error instanceof Problem && message.test(error.message) && error.exitCode === 2,
    )
  })
}

test('a value from the environment is checked too, and its problem names the variable and the default', async () => {
  await assert.rejects(load(undefined, {}, { KUBERNODE_STORE: 'floppy' }), {
    code: 'KN-CONFIG-02',
    message: 'store.type is "floppy" (environment variable KUBERNODE_STORE): it must be one of embedded, memory',
    fix: 'correct it there; without it, the default is embedded',
  })
})

test('a configuration file that does not exist is a problem; none at all is not', async () => {
  await assert.rejects(loadConfig({ flags: {}, env: {}, file: '/nowhere/c.yaml' }), {
    code: 'KN-CONFIG-01',
    message: 'the configuration file /nowhere/c.yaml does not exist',
    exitCode: 2,
  })
  assert.equal((await load(undefined)).sources.nodes, 'default')
})
