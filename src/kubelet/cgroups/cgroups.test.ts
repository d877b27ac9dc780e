import assert from 'node:assert/strict'
import { appendFile, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import { VirtualClock } from '../../base/clock.ts'
import { silentLogger } from '../../base/log.ts'
import { aContainer, aPod } from '../testing/pods.ts'
import { CgroupV1 } from './cgroup-v1.ts'
import { CgroupV2, cpuWeight } from './cgroup-v2.ts'
import type { CgroupTree } from './cgroup-tree.ts'
import { parseMounts } from './detect.ts'
import { writeControl } from './files.ts'
import { KernelPodCgroups } from './pod-cgroups.ts'

async function rootOf(t: TestContext): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'kubernode-cgroups-'))
  t.after(() => rm(root, { recursive: true, force: true }))
  return root
}

/** Folders in place of the kernel's: what would be written there is in their files. */
async function versionOne(t: TestContext) {
  const root = await rootOf(t)
  const mounts = new Map(['cpu', 'cpuacct', 'memory', 'pids'].map((name) => [name, join(root, name)]))
  return { root, tree: new CgroupV1(mounts, new VirtualClock()) }
}

const podCgroups = (tree: CgroupTree) =>
  new KernelPodCgroups({
    tree,
    root: '/',
    driver: 'cgroupfs',
    cpuCfsQuota: true,
    cpuCfsPeriodUs: 100_000,
    podPidsLimit: 100,
    log: silentLogger,
  })
const limited = (requests: Record<string, string>, limits?: Record<string, string>) =>
  aPod({ containers: [aContainer('main', { resources: { requests, ...(limits && { limits }) } })] })
const text = (...path: string[]) => readFile(join(...path), 'utf8')

test('the controllers of version 1 and the tree of version 2 are found', () => {
  const mounts =
    'tmpfs /sys/fs/cgroup tmpfs rw 0 0\ncgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,relatime,cpu,cpuacct 0 0\ncgroup /sys/fs/cgroup/memory cgroup rw,memory 0 0\ncgroup /sys/fs/cgroup/systemd cgroup rw,name=systemd 0 0\ncgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n'
  const { unified, controllers } = parseMounts(mounts)
  assert.equal(unified, '/sys/fs/cgroup/unified')
  assert.deepEqual(
    [...controllers],
    [
      ['cpu', '/sys/fs/cgroup/cpu,cpuacct'],
      ['cpuacct', '/sys/fs/cgroup/cpu,cpuacct'],
      ['memory', '/sys/fs/cgroup/memory'],
      ['systemd', '/sys/fs/cgroup/systemd'],
    ],
  )
})

test('pods stand in the cgroup of their class', async (t) => {
  const { tree } = await versionOne(t)
  const cgroups = podCgroups(tree)
  assert.equal(cgroups.parentOf(aPod()), '/kubepods/besteffort/poduid-1')
  assert.equal(cgroups.parentOf(limited({ cpu: '1' })), '/kubepods/burstable/poduid-1')
  assert.equal(
    cgroups.parentOf(limited({ cpu: '1', memory: '1Gi' }, { cpu: '1', memory: '1Gi' })),
    '/kubepods/poduid-1',
  )
})

test('a systemd runtime is told slices', async (t) => {
  const { tree } = await versionOne(t)
  const cgroups = new KernelPodCgroups({
    tree,
    root: '/',
    driver: 'systemd',
    cpuCfsQuota: true,
    cpuCfsPeriodUs: 100_000,
    podPidsLimit: -1,
    log: silentLogger,
  })
  assert.equal(cgroups.parentOf(aPod()), 'kubepods-besteffort-poduid_1.slice')
})

test('version 1: a pod is limited when all of its containers are', async (t) => {
  const { root, tree } = await versionOne(t)
  await podCgroups(tree).ensurePod(limited({ cpu: '500m', memory: '64Mi' }, { cpu: '1', memory: '128Mi' }))
  const folder = 'kubepods/burstable/poduid-1'
  assert.deepEqual(
    await Promise.all([
      text(root, 'cpu', folder, 'cpu.shares'),
      text(root, 'cpu', folder, 'cpu.cfs_quota_us'),
      text(root, 'memory', folder, 'memory.limit_in_bytes'),
      text(root, 'pids', folder, 'pids.max'),
    ]),
    ['512', '100000', '134217728', '100'],
  )
})

test('version 1: without limits there are only shares', async (t) => {
  const { root, tree } = await versionOne(t)
  await podCgroups(tree).ensurePod(limited({ cpu: '500m' }))
  assert.deepEqual((await readdir(join(root, 'cpu/kubepods/burstable/poduid-1'))).sort(), ['cpu.shares'])
})

test('version 2: limits are written in its own words, and controllers are handed down', async (t) => {
  const { root, tree } = await versionTwo(t, 'cpu memory pids rdma')
  await podCgroups(tree).ensurePod(limited({ cpu: '1', memory: '64Mi' }, { cpu: '2', memory: '128Mi' }))
  const folder = join(root, 'kubepods/burstable/poduid-1')
  assert.deepEqual(
    await Promise.all([
      text(root, 'cgroup.subtree_control'),
      text(folder, 'cpu.weight'),
      text(folder, 'cpu.max'),
      text(folder, 'memory.max'),
    ]),
    ['+cpu +memory +pids', '39', '200000 100000', '134217728'],
  )
})

/** Refuses as the kernel does: controllers of a cgroup with processes (but for the real root, which has them and may), and those in `broken`. */
function refusing(broken: readonly string[] = []): typeof writeControl {
  const refuse = (code: string) => {
    throw new Error(`refused: ${code}`, { cause: Object.assign(new Error(code), { code }) })
  }
  return async (folder, file, value) => {
    const path = join(folder, file)
    if (file === 'cgroup.subtree_control') {
      const procs = await readFile(join(folder, 'cgroup.procs'), 'utf8').catch(() => '')
      if (procs.trim() !== '') refuse('EBUSY')
      if (broken.some((name) => String(value).split(' ').includes(`+${name}`))) refuse('EINVAL')
      const before = await readFile(path, 'utf8').catch(() => '')
      const names = String(value).replaceAll('+', '').split(' ')
      await writeFile(path, [...new Set([...before.split(' ').filter(Boolean), ...names])].join(' '))
    } else if (file === 'cgroup.procs') {
      const above = join(folder, '..', 'cgroup.procs')
      const left = (await readFile(above, 'utf8')).split('\n').filter((pid) => pid !== String(value))
      await writeFile(above, left.join('\n'))
      await appendFile(path, `${value}\n`)
    } else await writeControl(folder, file, value)
  }
}

async function versionTwo(t: TestContext, offered: string, write?: typeof writeControl) {
  const root = await rootOf(t)
  await writeFile(join(root, 'cgroup.controllers'), offered)
  return { root, tree: new CgroupV2(root, new VirtualClock(), write) }
}

test('version 2: a controller that the kernel refuses is done without when no limit needs it', async (t) => {
  const { root, tree } = await versionTwo(t, 'cpuset cpu io memory pids', refusing(['io']))
  await tree.create('kubepods')
  assert.equal(await text(root, 'cgroup.subtree_control'), 'cpuset cpu memory pids')
  const strict = await versionTwo(t, 'cpu memory', refusing(['memory']))
  await assert.rejects(strict.tree.create('kubepods'), /EINVAL/)
})

test('version 2 in a container: processes leave the root, so that it may hand its controllers down', async (t) => {
  const { root, tree } = await versionTwo(t, 'cpu memory pids', refusing())
  await writeFile(join(root, 'cgroup.procs'), '1\n7\n')
  await tree.create('kubepods')
  assert.equal(await text(root, 'cgroup.subtree_control'), 'cpu memory pids')
  assert.equal((await text(root, 'cgroup.procs')).trim(), '')
  assert.equal(await text(root, 'init/cgroup.procs'), '1\n7\n')
})

test('version 2: a pod’s use is read from its cgroup', async (t) => {
  const { root, tree } = await versionTwo(t, 'cpu memory pids')
  const folder = join(root, 'kubepods')
  await mkdir(folder)
  await writeFile(join(folder, 'cpu.stat'), 'usage_usec 1500\nuser_usec 1000\n')
  await writeFile(join(folder, 'memory.current'), '5000\n')
  await writeFile(join(folder, 'memory.stat'), 'anon 1000\nfile 3500\ninactive_file 2000\n')
  await writeFile(join(folder, 'pids.current'), '3\n')
  assert.deepEqual(await tree.usage('kubepods'), {
    cpuNanos: 1_500_000,
    memoryBytes: 5000,
    workingSetBytes: 3000,
    rssBytes: 1000,
    pids: 3,
  })
})

test('version 2: the machine’s own cgroup has no memory.current, and yet says what is used', async (t) => {
  const { root, tree } = await versionTwo(t, 'cpu memory pids')
  await writeFile(join(root, 'cpu.stat'), 'usage_usec 7\n')
  await writeFile(join(root, 'memory.stat'), 'anon 1000\nfile 3500\ninactive_file 2000\n')
  const usage = await podCgroups(tree).nodeUsage()
  assert.deepEqual([usage?.memoryBytes, usage?.workingSetBytes, usage?.rssBytes], [4500, 2500, 1000])
})

test('version 2: pods without limits have none, and the classes weigh what their pods ask for', async (t) => {
  const { root, tree } = await versionTwo(t, 'cpu memory pids')
  const cgroups = podCgroups(tree)
  await cgroups.prepareNode({ cpu: '4', memory: '1Gi' })
  const pod = limited({ cpu: '500m' })
  await cgroups.ensurePod(pod)
  await cgroups.updateClasses([pod])
  assert.deepEqual(
    await Promise.all([
      text(root, 'kubepods/cpu.weight'),
      text(root, 'kubepods/memory.max'),
      text(root, 'kubepods/besteffort/cpu.weight'),
      text(root, 'kubepods/burstable/cpu.weight'),
    ]),
    ['157', '1073741824', '1', '20'],
  )
  const folder = join(root, 'kubepods/burstable/poduid-1')
  assert.deepEqual((await readdir(folder)).sort(), ['cpu.weight', 'pids.max'])
})

test('whether swap is counted is seen in the cgroup of all pods', async (t) => {
  const two = await versionTwo(t, 'cpu memory pids')
  const cgroups = podCgroups(two.tree)
  await cgroups.prepareNode({ cpu: '1', memory: '1Gi' })
  assert.deepEqual(cgroups.kind, { version: 2, countsSwap: false })
  await writeFile(join(two.root, 'kubepods/memory.swap.max'), 'max')
  await cgroups.prepareNode({ cpu: '1', memory: '1Gi' })
  assert.deepEqual(cgroups.kind, { version: 2, countsSwap: true })
})

test('before a resize the pod has room for what it was and for what it shall be', async (t) => {
  const { root, tree } = await versionOne(t)
  const cgroups = podCgroups(tree)
  const before = limited({ cpu: '1', memory: '1Gi' }, { cpu: '2', memory: '128Mi' })
  await cgroups.ensurePod(limited({ cpu: '1', memory: '1Gi' }, { cpu: '1', memory: '256Mi' }), before)
  const folder = 'kubepods/burstable/poduid-1'
  assert.deepEqual(
    [await text(root, 'cpu', folder, 'cpu.cfs_quota_us'), await text(root, 'memory', folder, 'memory.limit_in_bytes')],
    ['200000', '268435456'],
  )
})

test('pods that have a cgroup are found, and removed with what is in it', async (t) => {
  const { root, tree } = await versionOne(t)
  const cgroups = podCgroups(tree)
  const uid = '8f1c9c7e-0000-4000-8000-000000000001'
  await cgroups.ensurePod(aPod({}, { uid }))
  assert.deepEqual(await cgroups.podUids(), [uid])
  await rm(join(root, 'cpu/kubepods/besteffort', `pod${uid}`, 'cpu.shares')) // The kernel's files go with their folder.
  await rm(join(root, 'pids/kubepods/besteffort', `pod${uid}`, 'pids.max'))
  await mkdir(join(root, 'memory/kubepods/besteffort', `pod${uid}`, 'container'), { recursive: true })
  await cgroups.removePod(uid)
  assert.deepEqual(await cgroups.podUids(), [])
})

for (const [shares, weight] of [
  [2, 1],
  [1024, 39],
  [262_144, 10_000],
] as const) {
  test(`${shares} shares are a weight of ${weight}`, () => assert.equal(cpuWeight(shares), weight))
}
