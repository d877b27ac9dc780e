import { existsSync, readFileSync, statfsSync } from 'node:fs'
import { freemem } from 'node:os'
import { createServer } from 'node:net'
import { missingPrograms } from './programs.ts'
import { baseFolders, clusterPaths } from '../paths.ts'
import { runningProcess } from '../process/child.ts'
import { clusterNames, readRecord } from '../record.ts'

/** One thing that was looked at. */
export interface Check {
  readonly name: string
  readonly state: 'ok' | 'warn' | 'fail'
  readonly found: string
  /** What to do, when it is not ok. */
  readonly fix?: string
}

const diskNeededBytes = 2 * 1024 ** 3
const memoryNeededBytes = 512 * 1024 ** 2
const gib = (bytes: number) => `${(bytes / 1024 ** 3).toFixed(1)} GiB`

/** Looks at everything that a cluster with real containers needs of this machine. */
export async function checkHost(port: number, address: string): Promise<readonly Check[]> {
  return [
    checkSystem(),
    checkUser(),
    ...checkPrograms(),
    checkCgroups(),
    checkOverlay(),
    checkOomScore(),
    checkDisk(),
    checkMemory(),
    await checkPort(port, address),
  ]
}

const checkSystem = (): Check =>
  process.platform === 'linux'
    ? { name: 'system', state: 'ok', found: 'Linux' }
    : { name: 'system', state: 'fail', found: process.platform, fix: 'containers need Linux: use --simulated here' }

const checkUser = (): Check =>
  process.getuid?.() === 0
    ? { name: 'user', state: 'ok', found: 'root' }
    : {
        name: 'user',
        state: 'fail',
        found: `uid ${process.getuid?.() ?? '?'}`,
        fix: 'run with sudo, or use --simulated',
      }

function checkPrograms(): Check[] {
  const missing = missingPrograms()
  if (missing.length === 0) return [{ name: 'programs', state: 'ok', found: 'all there' }]
  return missing.map(({ name, purpose, packages }) => ({
    name,
    state: 'fail',
    found: `missing (${purpose})`,
    fix: `apt-get install ${packages.apt}`,
  }))
}

function checkCgroups(): Check {
  if (existsSync('/sys/fs/cgroup/cgroup.controllers')) {
    const controllers = readFileSync('/sys/fs/cgroup/cgroup.controllers', 'utf8').trim()
    return {
      name: 'cgroups',
      state: ['cpu', 'memory', 'pids'].every((c) => controllers.split(' ').includes(c)) ? 'ok' : 'warn',
      found: `version 2: ${controllers}`,
      fix: 'enable the cpu, memory and pids controllers',
    }
  }
  const there = ['cpu', 'memory', 'pids'].filter((c) => existsSync(`/sys/fs/cgroup/${c}`))
  return there.length === 3
    ? { name: 'cgroups', state: 'ok', found: 'version 1' }
    : {
        name: 'cgroups',
        state: 'fail',
        found: `controllers: ${there.join(' ') || 'none'}`,
        fix: 'mount the cgroup file systems',
      }
}

function checkOverlay(): Check {
  const known = existsSync('/proc/filesystems') && readFileSync('/proc/filesystems', 'utf8').includes('overlay')
  return known
    ? { name: 'overlayfs', state: 'ok', found: 'available' }
    : { name: 'overlayfs', state: 'warn', found: 'not loaded', fix: 'modprobe overlay' }
}

function checkOomScore(): Check {
  const capabilities = BigInt(
    `0x${/^CapEff:\s*([0-9a-f]+)$/m.exec(existsSync('/proc/self/status') ? readFileSync('/proc/self/status', 'utf8') : '')?.[1] ?? '0'}`,
  )
  if (capabilities & (1n << 24n)) return { name: 'oom score', state: 'ok', found: 'may be lowered' }
  return {
    name: 'oom score',
    state: 'warn',
    found: 'no CAP_SYS_RESOURCE: containers keep the score of containerd',
    fix: 'nothing to do; Kubernode adapts',
  }
}

function checkDisk(): Check {
  const { data } = baseFolders(process.env, process.getuid?.() === 0)
  let folder = data
  while (!existsSync(folder)) folder = folder.slice(0, folder.lastIndexOf('/')) || '/'
  const { bavail, bsize } = statfsSync(folder)
  const free = bavail * bsize
  return free >= diskNeededBytes
    ? { name: 'disk', state: 'ok', found: `${gib(free)} free in ${folder}` }
    : {
        name: 'disk',
        state: 'warn',
        found: `${gib(free)} free in ${folder}`,
        fix: `free ${gib(diskNeededBytes)}, or set KUBERNODE_HOME to another disk`,
      }
}

function checkMemory(): Check {
  const free =
    Number(
      /^MemAvailable:\s*(\d+)/m.exec(existsSync('/proc/meminfo') ? readFileSync('/proc/meminfo', 'utf8') : '')?.[1] ??
        freemem() / 1024,
    ) * 1024
  return free >= memoryNeededBytes
    ? { name: 'memory', state: 'ok', found: `${gib(free)} available` }
    : { name: 'memory', state: 'warn', found: `${gib(free)} available`, fix: 'end other programs' }
}

async function checkPort(port: number, address: string): Promise<Check> {
  const ours = clusterNames().find(
    (name) => readRecord(name)?.config.port === port && runningProcess(clusterPaths(name).pid) !== undefined,
  )
  if (ours) return { name: 'port', state: 'ok', found: `${address}:${port} is the cluster ${ours}'s` }
  return (await portIsFree(port, address))
    ? { name: 'port', state: 'ok', found: `${address}:${port} is free` }
    : {
        name: 'port',
        state: 'fail',
        found: `${address}:${port} is in use`,
        fix: 'choose another with --port, or end the program that holds it',
      }
}

/** Whether one can listen on the port. */
export function portIsFree(port: number, address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.on('error', () => resolve(false))
    server.listen(port, address, () => server.close(() => resolve(true)))
  })
}
