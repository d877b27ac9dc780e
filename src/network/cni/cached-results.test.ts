import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { removeCachedResults } from './cached-results.ts'

test('what the CNI library remembers of a cluster goes with it, and only that', (t) => {
  const root = mkdtempSync(join(tmpdir(), 'cni-'))
  t.after(() => rmSync(root, { recursive: true }))
  const cache = join(root, 'cni', 'results')
  mkdirSync(cache, { recursive: true })
  const put = (name: string, containerId: string, config: object) =>
    writeFileSync(
      join(cache, name),
      JSON.stringify({ containerId, config: Buffer.from(JSON.stringify(config)).toString('base64') }),
    )
  put('kubernode-1-eth0', '1', { plugins: [{ type: 'bridge', ipam: { dataDir: '/data/a/state' } }] })
  put('cni-loopback-1-lo', '1', { type: 'loopback' })
  put('kubernode-2-eth0', '2', { plugins: [{ type: 'bridge', ipam: { dataDir: '/data/b/state' } }] })
  put('cni-loopback-2-lo', '2', { type: 'loopback' })
  writeFileSync(join(cache, 'strange'), 'no JSON')
  removeCachedResults('/data/a/state', cache)
  assert.deepEqual(readdirSync(cache).sort(), ['cni-loopback-2-lo', 'kubernode-2-eth0', 'strange'])
  rmSync(join(cache, 'strange'))
  removeCachedResults('/data/b/state', cache)
  assert.ok(!existsSync(join(root, 'cni')))
  removeCachedResults('/data/b/state', cache)
})
