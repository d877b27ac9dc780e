import { access, chmod, lstat, mkdir, readdir, readFile, readlink, rm, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Container, Pod } from '../../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../../api/resource.ts'
import type { Random } from '../../../base/random.ts'
import { hostsText, podHostname } from '../../network/pod-hosts.ts'
import { terminationMessage } from '../../runtime-state/termination-message.ts'
import type { FileUse, PodFiles, SubPathOptions } from '../host.ts'
import { envFileValue } from './env-file.ts'
import { bindSubPath, unmountSubPaths } from './sub-path.ts'

/** Where a kubelet keeps its files. */
export interface PodFilesOptions {
  /** /var/lib/kubelet */
  readonly rootDir: string
  /** /var/log/pods */
  readonly podLogsDir: string
  /** /var/log/containers */
  readonly containerLogsDir: string
  readonly random: Random
}

/** A host name of this length is what a link in the containers' log folder may have, with its extension. */
const linkNameMax = 251

/** What is on disk below a folder; what goes meanwhile does not count. */
async function diskUsage(path: string): Promise<FileUse> {
  let [bytes, inodes] = [0, 0]
  for (const entry of await readdir(path, { withFileTypes: true }).catch(() => [])) {
    const file = join(path, entry.name)
    const info = await lstat(file).catch(() => undefined)
    if (!info) continue
    bytes += info.blocks * 512
    inodes++
    if (!entry.isDirectory()) continue
    const below = await diskUsage(file)
    bytes += below.bytes
    inodes += below.inodes
  }
  return { bytes, inodes }
}

/** The pods' files on a real machine. */
export class LinuxPodFiles implements PodFiles {
  readonly #options: PodFilesOptions

  constructor(options: PodFilesOptions) {
    this.#options = options
  }

  async preparePod(pod: Frozen<Pod>): Promise<void> {
    const folder = this.#podFolder(pod.metadata.uid ?? '')
    await Promise.all([
      ...['volumes', 'plugins', 'containers'].map((part) =>
        mkdir(join(folder, part), { recursive: true, mode: 0o750 }),
      ),
      mkdir(this.logFolder(pod), { recursive: true, mode: 0o755 }),
    ])
  }

  logFolder(pod: Frozen<Pod>): string {
    return join(this.#options.podLogsDir, `${pod.metadata.namespace}_${pod.metadata.name}_${pod.metadata.uid}`)
  }

  async writeHosts(pod: Frozen<Pod>, ips: readonly string[], clusterDomain: string): Promise<string> {
    const path = join(this.#podFolder(pod.metadata.uid ?? ''), 'etc-hosts')
    const hostText = pod.spec?.hostNetwork ? await readFile('/etc/hosts', 'utf8').catch(() => '') : '' // A node without the file gives none.
    const text = hostsText(pod, podHostname(pod, clusterDomain), ips, hostText)
    // Written in place: containers that run have this very file mounted.
    await writeFile(path, text, { mode: 0o644 })
    return path
  }

  async terminationFile(pod: Frozen<Pod>, container: Frozen<Container>): Promise<string> {
    const folder = join(this.#podFolder(pod.metadata.uid ?? ''), 'containers', container.name)
    await mkdir(folder, { recursive: true, mode: 0o750 })
    const path = join(folder, this.#options.random.uuid().slice(0, 8))
    await writeFile(path, '')
    await chmod(path, 0o666)
    return path
  }

  terminationMessage = terminationMessage

  async restartCountByLogs(pod: Frozen<Pod>, containerName: string): Promise<number> {
    const files = await readdir(join(this.logFolder(pod), containerName)).catch(() => []) // No folder: it never ran.
    const counts = files.map((file) => /^(\d+)\.log/.exec(file)?.[1]).filter((count) => count !== undefined)
    return counts.length > 0 ? Math.max(...counts.map(Number)) + 1 : 0
  }

  async linkLog(pod: Frozen<Pod>, containerName: string, containerId: string, logPath: string): Promise<void> {
    const { containerLogsDir } = this.#options
    const name = `${pod.metadata.name}_${pod.metadata.namespace}_${containerName}-${containerId}`.slice(0, linkNameMax)
    await mkdir(containerLogsDir, { recursive: true })
    await symlink(logPath, join(containerLogsDir, `${name}.log`)).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'EEXIST') throw error
    })
  }

  async removePod(uid: string): Promise<void> {
    const folder = this.#podFolder(uid)
    await unmountSubPaths(folder)
    // What is still mounted must never be deleted: an empty volumes folder is the proof that nothing is.
    const volumes = join(folder, 'volumes')
    for (const plugin of await readdir(volumes).catch(() => [])) {
      const left = await readdir(join(volumes, plugin))
      if (left.length > 0)
        throw new Error(
          `orphaned pod "${uid}" found, but volume paths are still present on disk: ${left.map((name) => join(volumes, plugin, name)).join(', ')}`,
        )
    }
    await rm(folder, { recursive: true, force: true })
  }

  async removeLogs(isKept: (uid: string) => boolean): Promise<void> {
    const { podLogsDir, containerLogsDir } = this.#options
    for (const name of await readdir(podLogsDir).catch(() => [])) {
      const uid = name.split('_')[2]
      if (uid && !isKept(uid)) await rm(join(podLogsDir, name), { recursive: true, force: true })
    }
    for (const name of await readdir(containerLogsDir).catch(() => [])) {
      const path = join(containerLogsDir, name)
      const target = await readlink(path).catch(() => undefined)
      // Only our own links, and only those whose log is gone.
      if (
        target?.startsWith(`${podLogsDir}/`) &&
        !(await access(target).then(
          () => true,
          () => false,
        ))
      )
        await rm(path, { force: true })
    }
  }

  async podUids(): Promise<readonly string[]> {
    return readdir(join(this.#options.rootDir, 'pods')).catch(() => []) // No folder yet: no pods.
  }

  subPath(options: SubPathOptions): Promise<string> {
    return bindSubPath(this.#podFolder(options.pod.metadata.uid ?? ''), options)
  }

  async ensureFolder(path: string): Promise<void> {
    await mkdir(path, { recursive: true, mode: 0o755 })
  }

  seccompFolder(): string {
    return join(this.#options.rootDir, 'seccomp')
  }

  diskUsage = diskUsage

  envFileValue = envFileValue

  #podFolder(uid: string): string {
    return join(this.#options.rootDir, 'pods', uid)
  }
}
