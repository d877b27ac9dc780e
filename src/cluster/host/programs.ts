import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { pluginNames } from '../../network/cni/config-list.ts'

/** A program that nodes need, and the package that brings it, by package tool. */
export interface NeededProgram {
  readonly name: string
  /** Why it is needed, for people. */
  readonly purpose: string
  readonly packages: { readonly apt: string; readonly dnf: string }
  /** Whether the machine has it. Absent: when the program is on PATH or in a system folder. */
  readonly isThere?: () => boolean
}

/** Where distributions put CNI plugins. */
export const cniFolders = ['/opt/cni/bin', '/usr/lib/cni', '/usr/libexec/cni'] as const

/** What a node with real containers needs of the machine. */
export const neededPrograms: readonly NeededProgram[] = [
  { name: 'containerd', purpose: 'runs containers', packages: { apt: 'containerd', dnf: 'containerd' } },
  { name: 'runc', purpose: 'starts container processes', packages: { apt: 'runc', dnf: 'runc' } },
  {
    name: 'CNI plugins',
    purpose: 'connect Pods',
    packages: { apt: 'containernetworking-plugins', dnf: 'containernetworking-plugins' },
    isThere: () => cniFolder() !== undefined,
  },
  {
    name: 'iptables',
    purpose: 'host ports of Pods (the CNI plugin portmap)',
    packages: { apt: 'iptables', dnf: 'iptables-nft' },
  },
  { name: 'nft', purpose: 'Services and masquerading', packages: { apt: 'nftables', dnf: 'nftables' } },
  { name: 'ip', purpose: 'links, routes and network namespaces', packages: { apt: 'iproute2', dnf: 'iproute' } },
  { name: 'nsenter', purpose: 'enters network namespaces', packages: { apt: 'util-linux', dnf: 'util-linux' } },
  {
    name: 'conntrack',
    purpose: 'ends UDP flows to endpoints that are gone',
    packages: { apt: 'conntrack', dnf: 'conntrack-tools' },
  },
  { name: 'mount', purpose: 'volumes', packages: { apt: 'mount', dnf: 'util-linux' } },
]

/** Folders that hold system programs but are not on everybody's PATH. */
const systemFolders = ['/usr/local/sbin', '/usr/sbin', '/sbin']

/** Where a program is, or undefined. */
export function findProgram(name: string, folders: readonly string[] = searchFolders()): string | undefined {
  for (const folder of folders) {
    const path = join(folder, name)
    try {
      accessSync(path, constants.X_OK)
      return path
    } catch {
      // Not in this folder.
    }
  }
  return undefined
}

const searchFolders = (): readonly string[] => [...(process.env['PATH'] ?? '').split(delimiter), ...systemFolders]

/** The needed programs that this machine lacks. */
export const missingPrograms = (): readonly NeededProgram[] =>
  neededPrograms.filter(({ name, isThere = () => findProgram(name) !== undefined }) => !isThere())

/** The folder with all the CNI plugins. Nowhere else is looked: iproute2, too, has a program named bridge. */
export const cniFolder = (folders: readonly string[] = cniFolders): string | undefined =>
  folders.find((folder) => pluginNames.every((name) => findProgram(name, [folder]) !== undefined))
