import assert from 'node:assert/strict'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { realClock } from '../base/clock.ts'
import { silentLogger } from '../base/log.ts'
import { Metrics } from '../base/metrics.ts'
import { realRandom } from '../base/random.ts'
import { loadConfig } from './config/load.ts'
import { mergeKubeconfig } from './kubeconfig/kubeconfig.ts'
import { clusterPaths } from './paths.ts'
import { runningProcess, startDetached } from './process/child.ts'
import { contextName, readRecord, requireRecord, writeRecord } from './record.ts'
import { remove } from './takedown.ts'

const deps = { clock: realClock, random: realRandom, log: silentLogger, metrics: new Metrics() }

/** A home of its own with a kubeconfig that somebody uses already, and a simulated cluster that runs. */
async function aCluster(t: TestContext, name = 'kubernode') {
  const home = mkdtempSync(join(tmpdir(), 'kubernode-takedown-'))
  const env = { KUBERNODE_HOME: home, KUBECONFIG: join(home, 'kubeconfig') }
  const before = Object.fromEntries(Object.keys(env).map((key) => [key, process.env[key]]))
  Object.assign(process.env, env)
  const paths = clusterPaths(name)
  const process_ = startDetached({
    command: 'sleep',
    args: ['60'],
    file: paths.pid,
    log: join(paths.logs, 'kubernode.log'),
  })
  t.after(() => {
    for (const [key, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[key]
      else process.env[key] = value
    }
    if (runningProcess(paths.pid) !== undefined) process.kill(process_.pid, 'SIGKILL')
    rmSync(home, { recursive: true, force: true })
  })
  const entry = { server: 'https://127.0.0.1:1', ca: 'ca', user: { token: 'secret' } }
  await mergeKubeconfig(env.KUBECONFIG, { ...entry, name: 'work' })
  await mergeKubeconfig(env.KUBECONFIG, { ...entry, name: contextName(name) })
  const { config } = await loadConfig({ flags: { name, simulated: 'true' }, env: {} })
  writeRecord({
    config,
    simulated: true,
    advertiseAddress: '127.0.0.1',
    kubeconfig: env.KUBECONFIG,
    previousContext: 'work',
  })
  const isGone = async () => {
    assert.equal(await process_.exited, 128, 'the process was ended by a signal')
    assert.deepEqual([existsSync(paths.data), existsSync(paths.run)], [false, false])
    const kubeconfig = readFileSync(env.KUBECONFIG, 'utf8')
    assert.ok(kubeconfig.includes('name: work') && !kubeconfig.includes(contextName(name)), kubeconfig)
    return kubeconfig
  }
  return { name, paths, isGone }
}

test('a cluster is removed with its process, its files and its kubeconfig entry, and the context from before is current again', async (t) => {
  const { name, isGone } = await aCluster(t)
  await remove(name, deps)
  assert.match(await isGone(), /current-context: work/)
})

test('a cluster with a damaged record is removed as well, as its problem says', async (t) => {
  const { name, paths, isGone } = await aCluster(t)
  writeFileSync(paths.config, '{"config": {"na')
  assert.throws(() => readRecord(name), {
    code: 'KN-CONFIG-01',
    fix: `run \`kubernode delete ${name}\` and start anew`,
  })
  await remove(name, deps)
  await isGone()
})

test('a cluster that was made only as far as its kubeconfig entry is removed', async (t) => {
  const { name, paths, isGone } = await aCluster(t, 'second')
  rmSync(paths.config)
  assert.throws(() => requireRecord(name), { message: /^the cluster second is incomplete/ })
  await remove(name, deps)
  await isGone()
})

test('a removal that was interrupted is finished by the next one, and one more changes nothing', async (t) => {
  const { name, paths, isGone } = await aCluster(t)
  rmSync(paths.data, { recursive: true })
  await remove(name, deps)
  await isGone()
  await remove(name, deps)
})

test('a record that cannot be read for another reason is not taken for a damaged one', async (t) => {
  const { name, paths } = await aCluster(t)
  rmSync(paths.config)
  mkdirSync(paths.config)
  await assert.rejects(remove(name, deps), { code: 'KN-DISK-01' })
  assert.ok(runningProcess(paths.pid) !== undefined && existsSync(paths.data))
})
