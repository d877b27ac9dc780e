import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { pods } from '../../api/generated/resources.ts'
import { realClock } from '../../base/clock.ts'
import { startSimulatedNode } from '../testing/simulated-node.ts'
import { staticPodFrom } from './static-pod.ts'

const manifest = (image: string) => `apiVersion: v1
kind: Pod
metadata: { name: web }
spec: { containers: [{ name: main, image: "${image}" }] }
`

/** A node with one static pod. */
async function start(t: TestContext) {
  const folder = mkdtempSync(join(tmpdir(), 'kubernode-manifests-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const file = join(folder, 'web.yaml')
  writeFileSync(file, manifest('example.test/web:1'))
  writeFileSync(join(folder, 'broken.yaml'), '{')
  writeFileSync(join(folder, '.web.yaml.swp'), manifest('example.test/hidden:1'))
  const host = { needsUpkeep: true }
  const node = await startSimulatedNode(t, { config: { staticPodPath: folder, fileCheckFrequency: '1s' }, host })
  await node.clock.advance(1000)
  const running = async () =>
    (await node.runtime.listContainers())
      .filter(({ state }) => state === 'CONTAINER_RUNNING')
      .map(({ imageRef }) => imageRef)
  /** Files are read in real time, whatever the virtual clock says: it is looked again and again, on a busy machine for long. */
  const until = async (holds: () => Promise<boolean>) => {
    const endMs = realClock.now() + 60_000
    while (!(await holds())) {
      assert.ok(realClock.now() < endMs, `never: ${holds.toString()}`)
      await node.clock.advance(1000)
      await realClock.sleep(2)
    }
  }
  return { ...node, file, running, until, mirror: () => node.pod('web-node-1') }
}

type Node = Awaited<ReturnType<typeof start>>

test('a file is a pod that runs, with a mirror in the API that has its status', async (t) => {
  const node = await start(t)
  assert.deepEqual(await node.running(), ['example.test/web:1'])
  const mirror = await node.mirror()
  assert.equal(mirror?.status?.phase, 'Running')
  const { annotations = {}, ownerReferences } = mirror!.metadata
  assert.equal(annotations['kubernetes.io/config.source'], 'file')
  assert.equal(annotations['kubernetes.io/config.mirror'], annotations['kubernetes.io/config.hash'])
  assert.deepEqual(
    ownerReferences?.map(({ kind, name }) => [kind, name]),
    [['Node', 'node-1']],
  )
})

test('who deletes the mirror deletes a picture: the pod goes on, and gets another', async (t) => {
  const node = await start(t)
  const before = await node.mirror()
  await node.client.delete(pods, { namespace: 'default', name: 'web-node-1' }, { gracePeriodSeconds: 0 })
  const uid = before?.metadata.uid
  await node.until(async () => ![undefined, uid].includes((await node.mirror())?.metadata.uid))
  await node.until(async () => (await node.mirror())?.status?.phase === 'Running')
  assert.deepEqual(await node.running(), ['example.test/web:1'])
})

for (const [name, look] of [
  ['while the kubelet runs', undefined],
  ['while no kubelet runs', (node: Node) => node.restartKubelet()],
] as const) {
  test(`a file that changes ${name} is another pod, in place of the old one`, async (t) => {
    const node = await start(t)
    const hash = async () => (await node.mirror())?.metadata.annotations?.['kubernetes.io/config.hash']
    const before = await hash()
    writeFileSync(node.file, manifest('example.test/web:2'))
    await look?.(node)
    await node.until(async () => (await node.running()).join() === 'example.test/web:2')
    await node.until(async () => ![undefined, before].includes(await hash()))
  })

  test(`a file that goes ${name} ends its pod, and the mirror goes with it`, async (t) => {
    const node = await start(t)
    rmSync(node.file)
    await look?.(node)
    await node.until(async () => (await node.running()).length === 0)
    await node.until(async () => (await node.mirror()) === undefined)
  })
}

const origin = { path: '/manifests/web.yaml', nodeName: 'Node-1', nowMs: 0 }

test('a static pod is named after its node, is bound to it, and stays whatever taints it gets', async () => {
  const { metadata, spec } = await staticPodFrom(manifest('i:1'), origin)
  assert.deepEqual([metadata.name, metadata.namespace, spec?.nodeName], ['web-node-1', 'default', 'Node-1'])
  assert.deepEqual(spec?.tolerations, [{ operator: 'Exists', effect: 'NoExecute' }])
})

test('the same manifest is the same pod, another one, or one on another node, is not', async () => {
  const uid = async (text: string, more = {}) => (await staticPodFrom(text, { ...origin, ...more })).metadata.uid
  const first = await uid(manifest('i:1'))
  assert.equal(await uid(manifest('i:1'), { nowMs: 5 }), first)
  assert.notEqual(await uid(manifest('i:2')), first)
  assert.notEqual(await uid(manifest('i:1'), { nodeName: 'node-2' }), first)
})

for (const [name, text] of [
  ['another kind', 'apiVersion: v1\nkind: Service\nmetadata: { name: a }'],
  ['no containers', 'apiVersion: v1\nkind: Pod\nmetadata: { name: a }'],
  ['a list', '[]'],
] as const)
  test(`a file with ${name} is refused by its path`, () =>
    assert.rejects(staticPodFrom(text, origin), /^Error: \/manifests\/web.yaml holds no Pod of apiVersion v1/))
