import { readdir, readFile, stat, statfs } from 'node:fs/promises'
import os from 'node:os'
import { join } from 'node:path'
import type { ContainerRuntime } from '../../../runtime/runtime.ts'
import { parseResolvConf, type Resolver } from '../../network/pod-dns.ts'
import type { FilesystemUsage, Machine, MachineUsage } from '../host.ts'

/** What a machine is read with. */
export interface LinuxMachineOptions {
  readonly rootDir: string
  readonly runtime: ContainerRuntime
  readonly hostname: string
  /** The node's addresses, the primary first; without any, that of the default route. */
  readonly nodeIps: readonly string[]
  /** Upstream's version that this kubelet speaks. */
  readonly kubeletVersion: string
}

/** A real machine, as /proc and /sys tell of it. */
export class LinuxMachine implements Machine {
  readonly #options: LinuxMachineOptions

  constructor(options: LinuxMachineOptions) {
    this.#options = options
  }

  async capacity(): Promise<Readonly<Record<string, string>>> {
    const [memory, disk, hugepages] = await Promise.all([memoryInfo(), statfs(this.#options.rootDir), hugePages()])
    return {
      cpu: String(os.availableParallelism()),
      memory: `${memory.totalKib}Ki`,
      'ephemeral-storage': `${Math.floor((disk.blocks * disk.bsize) / 1024)}Ki`,
      ...hugepages,
    }
  }

  async nodeInfo() {
    const version = await this.#options.runtime.version()
    const [machineID, systemUUID, bootID, osRelease] = await Promise.all([
      text('/etc/machine-id'),
      text('/sys/class/dmi/id/product_uuid'),
      text('/proc/sys/kernel/random/boot_id'),
      text('/etc/os-release'),
    ])
    return {
      machineID,
      systemUUID: systemUUID || machineID,
      bootID,
      kernelVersion: os.release(),
      osImage: /^PRETTY_NAME="?([^"\n]*)"?$/m.exec(osRelease)?.[1] ?? 'Linux',
      containerRuntimeVersion: `${version.runtimeName}://${version.runtimeVersion.replace(/^v/, '')}`,
      kubeletVersion: this.#options.kubeletVersion,
      kubeProxyVersion: '',
      operatingSystem: 'linux',
      architecture: goArchitectures[os.arch()] ?? os.arch(),
    }
  }

  async addresses() {
    const ips = this.#options.nodeIps.length > 0 ? this.#options.nodeIps : [await defaultAddress()]
    return [
      ...ips.map((address) => ({ type: 'InternalIP', address })),
      { type: 'Hostname', address: this.#options.hostname },
    ]
  }

  async resolver(path: string): Promise<Resolver> {
    return path === '' ? { servers: [], searches: [], options: [] } : parseResolvConf(await text(path))
  }

  async usage(): Promise<MachineUsage> {
    const { rootDir } = this.#options
    const imagePath = await this.#imagePath()
    const [memory, nodefs, imagefs, separateImagefs, pids, pidsMax] = await Promise.all([
      memoryInfo(),
      filesystem(rootDir),
      imagePath === undefined ? undefined : filesystem(imagePath),
      imagePath !== undefined && areApart(rootDir, imagePath),
      readdir('/proc').then(
        (names) => names.filter((name) => /^\d+$/.test(name)).length,
        () => 0,
      ),
      text('/proc/sys/kernel/pid_max').then(Number),
    ])
    return {
      memoryAvailableBytes: memory.availableKib * 1024,
      memoryCapacityBytes: memory.totalKib * 1024,
      nodefs,
      imagefs,
      separateImagefs,
      pidsAvailable: pidsMax - pids,
      pidsMax,
    }
  }

  async #imagePath(): Promise<string | undefined> {
    const [first] = await this.#options.runtime.imageFilesystems().catch(() => []) // A runtime that does not say has none of its own.
    return first?.fsId?.mountpoint
  }
}

/** Whether two paths lie on different disks; a path that is not there yet is taken to lie beside the other. */
const areApart = (a: string, b: string): Promise<boolean> =>
  Promise.all([stat(a), stat(b)]).then(
    ([one, other]) => one.dev !== other.dev,
    () => false,
  )

/** Node's names of architectures in Go's words. */
const goArchitectures: Readonly<Record<string, string>> = {
  x64: 'amd64',
  arm64: 'arm64',
  arm: 'arm',
  ia32: '386',
  ppc64: 'ppc64le',
  s390x: 's390x',
  riscv64: 'riscv64',
}

/** A file's text; '' when there is none. */
const text = (path: string): Promise<string> =>
  readFile(path, 'utf8').then(
    (content) => content.trim(),
    () => '',
  )

async function memoryInfo(): Promise<{ readonly totalKib: number; readonly availableKib: number }> {
  const info = await text('/proc/meminfo')
  const of = (key: string) => Number(new RegExp(`^${key}:\\s+(\\d+)`, 'm').exec(info)?.[1] ?? 0)
  return {
    totalKib: of('MemTotal') || Math.floor(os.totalmem() / 1024),
    availableKib: of('MemAvailable') || Math.floor(os.freemem() / 1024),
  }
}

async function hugePages(): Promise<Record<string, string>> {
  const root = '/sys/kernel/mm/hugepages'
  const sizes = await readdir(root).catch(() => []) // A kernel without them.
  const found: Record<string, string> = {}
  for (const folder of sizes) {
    const kib = Number(/^hugepages-(\d+)kB$/.exec(folder)?.[1])
    if (!kib) continue
    const count = Number(await text(join(root, folder, 'nr_hugepages')))
    const size = kib % 1_048_576 === 0 ? `${kib / 1_048_576}Gi` : kib % 1024 === 0 ? `${kib / 1024}Mi` : `${kib}Ki`
    found[`hugepages-${size}`] = count === 0 ? '0' : `${count * kib}Ki`
  }
  return found
}

async function filesystem(path: string): Promise<FilesystemUsage | undefined> {
  try {
    const { bavail, blocks, bsize, ffree, files } = await statfs(path)
    return { availableBytes: bavail * bsize, capacityBytes: blocks * bsize, inodesFree: ffree, inodes: files }
  } catch {
    return undefined // Not there yet.
  }
}

/** The address of the interface that the default route leaves by; else the first that is not the loopback's. */
async function defaultAddress(): Promise<string> {
  const interfaces = os.networkInterfaces()
  const routes = (await text('/proc/net/route'))
    .split('\n')
    .slice(1)
    .map((line) => line.split('\t'))
  const byRoute = routes.find(([, destination]) => destination === '00000000')?.[0]
  const ordered = byRoute ? [byRoute, ...Object.keys(interfaces)] : Object.keys(interfaces)
  for (const name of ordered) {
    const found = interfaces[name]?.find(({ family, internal }) => family === 'IPv4' && !internal)
    if (found) return found.address
  }
  return '127.0.0.1'
}
