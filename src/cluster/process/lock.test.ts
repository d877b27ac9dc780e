import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { clusterPaths } from '../paths.ts'
import { runningProcess, writeProcessFile } from './child.ts'
import { withClusterLock } from './lock.ts'

/** The lock's file, in a home of its own. */
function lockFile(t: TestContext): string {
  const home = mkdtempSync(join(tmpdir(), 'kubernode-lock-'))
  const before = process.env['KUBERNODE_HOME']
  process.env['KUBERNODE_HOME'] = home
  t.after(() => {
    if (before === undefined) delete process.env['KUBERNODE_HOME']
    else process.env['KUBERNODE_HOME'] = before
    rmSync(home, { recursive: true })
  })
  return `${clusterPaths('c').run}.lock`
}

test('the lock is held while the work is done, and let go when it fails too', async (t) => {
  const file = lockFile(t)
  assert.equal(await withClusterLock('c', async () => runningProcess(file)), process.pid)
  await assert.rejects(
    withClusterLock('c', () => Promise.reject(new Error('broken'))),
    /broken/,
  )
  assert.equal(runningProcess(file), undefined)
})

test('while another command holds it the work is refused; a holder that has ended does not count', async (t) => {
  const file = lockFile(t)
  const other = spawn('sleep', ['60'])
  writeProcessFile(file, other.pid!)
  await assert.rejects(
    withClusterLock('c', async () => 'done'),
    { code: 'KN-CLUSTER-05' },
  )
  other.kill('SIGKILL')
  await new Promise((resolve) => other.on('exit', resolve))
  assert.equal(await withClusterLock('c', async () => 'done'), 'done')
})

test('of two that begin at the same time one is let in', async (t) => {
  lockFile(t)
  const { promise: wait, resolve: end } = Promise.withResolvers<string>()
  const first = withClusterLock('c', () => wait)
  await assert.rejects(
    withClusterLock('c', async () => 'done'),
    { code: 'KN-CLUSTER-05' },
  )
  end('first')
  assert.equal(await first, 'first')
})
