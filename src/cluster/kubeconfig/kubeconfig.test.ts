import assert from 'node:assert/strict'
import { existsSync, lstatSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { load } from 'js-yaml'
import { kubeconfigPath, mergeKubeconfig, removeFromKubeconfig } from './kubeconfig.ts'

const entry = { name: 'kubernode', server: 'https://127.0.0.1:6443', ca: 'CA', user: { cert: 'C', key: 'K' } }

function setUp(t: TestContext, text?: string) {
  const folder = mkdtempSync(join(tmpdir(), 'kubernode-kubeconfig-'))
  t.after(() => rmSync(folder, { recursive: true }))
  const path = join(folder, 'config')
  if (text !== undefined) writeFileSync(path, text)
  return {
    folder,
    path,
    read: () =>
      load(readFileSync(path, 'utf8')) as {
        'current-context': string
        clusters: { name: string }[]
        extensions?: unknown
      },
  }
}

test('only our own entries are touched, and the earlier context comes back when they go', async (t) => {
  const other =
    'apiVersion: v1\nkind: Config\nclusters: [{name: a, cluster: {server: x}}]\ncontexts: [{name: a, context: {cluster: a, user: a}}]\nusers: [{name: a, user: {}}]\ncurrent-context: a\nextensions: [1]\n'
  const { path, read } = setUp(t, other)
  assert.equal(await mergeKubeconfig(path, entry), 'a')
  assert.equal(read()['current-context'], 'kubernode')
  assert.deepEqual(
    read().clusters.map((c) => c.name),
    ['a', 'kubernode'],
  )
  assert.deepEqual(read().extensions, [1])
  await removeFromKubeconfig(path, 'kubernode', 'a')
  assert.deepEqual(read(), load(other))
})

test('a new file is private; merging twice leaves one entry', async (t) => {
  const { path, read } = setUp(t)
  await mergeKubeconfig(path, entry)
  await mergeKubeconfig(path, entry)
  assert.equal(statSync(path).mode & 0o777, 0o600)
  assert.equal(read().clusters.length, 1)
})

test('a link to a kubeconfig stays a link, and what it leads to is changed', async (t) => {
  const { folder, path, read } = setUp(t, '')
  const link = join(folder, 'link')
  symlinkSync(path, link)
  await mergeKubeconfig(link, entry)
  assert.ok(lstatSync(link).isSymbolicLink())
  assert.equal(read()['current-context'], 'kubernode')
})

test('a file that was made for the entry goes with it; one that says anything else stays', async (t) => {
  const { path, read } = setUp(t)
  await mergeKubeconfig(path, entry)
  await removeFromKubeconfig(path, 'kubernode', '')
  assert.equal(existsSync(path), false)
  writeFileSync(path, 'preferences: {colors: true}\n')
  await mergeKubeconfig(path, entry)
  await removeFromKubeconfig(path, 'kubernode', '')
  assert.deepEqual((read() as { preferences?: unknown }).preferences, { colors: true })
})

test('a file that is no kubeconfig and a locked one are left as they are, with a message', async (t) => {
  const { path, read } = setUp(t, '[1, 2]')
  await assert.rejects(mergeKubeconfig(path, entry), /is not a kubeconfig/)
  assert.deepEqual(read(), [1, 2])
  writeFileSync(`${path}.lock`, '')
  await assert.rejects(mergeKubeconfig(path, entry), /is locked by another program/)
})

test('the file is the given one, else the first existing of KUBECONFIG, else its first, else the home folder’s', (t) => {
  const { path } = setUp(t, '')
  assert.equal(kubeconfigPath('x', { KUBECONFIG: path }), 'x')
  assert.equal(kubeconfigPath(undefined, { KUBECONFIG: `/nowhere/1:${path}` }), path)
  assert.equal(kubeconfigPath(undefined, { KUBECONFIG: '/nowhere/1:/nowhere/2' }), '/nowhere/1')
  assert.equal(kubeconfigPath(undefined, { HOME: '/home/me' }), '/home/me/.kube/config')
})
