import assert from 'node:assert/strict'
import test from 'node:test'
import { Problem } from '../problem.ts'
import { loadConfig } from './load.ts'

const load = (fileText: string | undefined, flags = {}, env = {}) => loadConfig({ flags, env, file: fileText === undefined ? undefined : 'c.yaml', fileText })
const yaml = (body: string) => `apiVersion: kubernode.dev/v1\nkind: Cluster\n${body}`

test('a flag wins over the environment, that over the file, that over the default, and the source is told', async () => {
  const { config, sources } = await load(yaml('nodes: 2\nnetwork: { podCIDR: 10.1.0.0/16, clusterDomain: a.b }\napiServer: { port: 7000 }'), { nodes: '4' }, { KUBERNODE_NODES: '3', KUBERNODE_POD_CIDR: '10.2.0.0/16' })
  assert.deepEqual([config.nodes, config.podCIDR, config.clusterDomain, config.port, config.serviceCIDR], [4, '10.2.0.0/16', 'a.b', 7000, '10.96.0.0/12'])
  assert.deepEqual([sources.nodes, sources.podCIDR, sources.port, sources.serviceCIDR], ['flag --nodes', 'environment variable KUBERNODE_POD_CIDR', 'file c.yaml', 'default'])
})

for (const [name, file, flags, message] of [
  ['an unknown field, with its place and the nearest name', yaml('network:\n  podCidrs: 10.1.0.0/16'), {}, /unknown field network.podCidrs at line 4, column 3; did you mean network.podCIDR\?/],
  ['a value of the wrong shape', undefined, { nodes: 'three' }, /nodes is "three" \(flag --nodes\): it must be a whole number/],
  ['a range that is none', undefined, { podCIDR: '10.1.0.0' }, /must be an IPv4 range/],
  ['another kind', 'apiVersion: v1\nkind: Pod', {}, /apiVersion is "v1": it must be kubernode.dev\/v1/],
  ['text that is not YAML', '{', {}, /c.yaml is not YAML/],
  ['a list where a map is expected', yaml('network: []'), {}, /network must be a map/],
] as const) {
  test(`refused: ${name}`, async () => {
    await assert.rejects(load(file, flags), (error) => error instanceof Problem && message.test(error.message) && error.exitCode === 2)
  })
}
