import assert from 'node:assert/strict'
import test from 'node:test'
import { startTestServer, type TestServer } from '../server.test-support.ts'

const path = '/api/v1/componentstatuses'
interface Component {
  readonly metadata: { readonly name: string }
  readonly conditions: readonly { readonly status: string; readonly message: string }[]
}
const listed = async ({ send }: TestServer) => (await send('GET', path)).items as unknown as Component[]
const healthy = async (server: TestServer) =>
  Object.fromEntries((await listed(server)).map(({ metadata, conditions }) => [metadata.name, conditions[0]?.status]))

test('what runs in the server’s process is as well as the server is', async (t) => {
  const server = await startTestServer(t, { withControlPlane: true })
  assert.deepEqual(await healthy(server), { 'controller-manager': 'True', scheduler: 'True', 'etcd-0': 'True' })
  await assert.rejects(server.send('GET', `${path}/none`), { message: 'componentstatus "none" not found' })
})

test('of others their leases tell', async (t) => {
  const server = await startTestServer(t)
  assert.deepEqual(await healthy(server), { 'controller-manager': 'False', scheduler: 'False', 'etcd-0': 'True' })
  await server.send('POST', '/apis/coordination.k8s.io/v1/namespaces/kube-system/leases', {
    metadata: { name: 'kube-scheduler' },
    spec: { renewTime: new Date(server.clock.now()).toISOString().replace('Z', '000Z') },
  })
  assert.equal((await healthy(server))['scheduler'], 'True')
  await server.clock.advance(61_000)
  assert.equal((await healthy(server))['scheduler'], 'False')
})
