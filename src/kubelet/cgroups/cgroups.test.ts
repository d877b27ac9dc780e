import assert from 'node:assert/strict'
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises'
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
  const root = await rootOf(t)
  await writeFile(join(root, 'cgroup.controllers'), 'cpu memory pids rdma')
  const tree = new CgroupV2(root, new VirtualClock())
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
