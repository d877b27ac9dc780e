import { access, constants, mkdir, readFile, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { Clock } from '../../base/clock.ts'
import type { CgroupTree } from './cgroup-tree.ts'
import { CgroupV1 } from './cgroup-v1.ts'
import { CgroupV2 } from './cgroup-v2.ts'

/** What limits and measures need of version 1. */
const needed = ['cpu', 'memory']
/** Controllers whose tree pods get a cgroup in, where it is mounted. */
const used = new Set([
  'cpu',
  'cpuacct',
  'cpuset',
  'memory',
  'pids',
  'devices',
  'freezer',
  'blkio',
  'hugetlb',
  'net_cls',
  'net_prio',
  'perf_event',
  'systemd',
])

/** The machine's cgroups when they can be written; undefined when they cannot, and pods run without limits of their own. */
export async function detectCgroups(clock: Clock): Promise<CgroupTree | undefined> {
  const mounts = parseMounts(await readFile('/proc/self/mounts', 'utf8').catch(() => '')) // Not Linux: none.
  if (mounts.unified === '/sys/fs/cgroup')
    return (await writable(mounts.unified)) ? new CgroupV2(mounts.unified, clock) : undefined
  if (!needed.every((controller) => mounts.controllers.has(controller))) return undefined
  const roots = await Promise.all(
    [...mounts.controllers].map(async ([name, root]) => [name, root, await writable(root)] as const),
  )
  const open = new Map(roots.filter(([, , can]) => can).map(([name, root]) => [name, root]))
  return needed.every((controller) => open.has(controller)) ? new CgroupV1(open, clock) : undefined
}

/** The least and the most of `/proc/self/mounts`: where version 2 is, where each controller of version 1 is. */
export function parseMounts(text: string): {
  readonly unified: string | undefined
  readonly controllers: ReadonlyMap<string, string>
} {
  let unified: string | undefined
  const controllers = new Map<string, string>()
  for (const line of text.split('\n')) {
    const [, path = '', type, options = ''] = line.split(' ')
    if (type === 'cgroup2') unified ??= path
    if (type !== 'cgroup') continue
    for (const option of options.split(',')) {
      const name = option === 'name=systemd' ? 'systemd' : option
      if (used.has(name) && !controllers.has(name)) controllers.set(name, path)
    }
  }
  return { unified, controllers }
}

/** A folder can be made there: permission bits say nothing of read-only mounts. */
async function writable(root: string): Promise<boolean> {
  const probe = join(root, `kubernode-probe-${process.pid}`)
  try {
    await access(root, constants.W_OK)
    await mkdir(probe)
    await rmdir(probe)
    return true
  } catch {
    return false
  }
}
