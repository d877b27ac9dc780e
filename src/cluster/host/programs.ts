import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'

/** A program that nodes need, and the package that brings it, by package tool. */
export interface NeededProgram {
  readonly name: string
  /** Why it is needed, for people. */
  readonly purpose: string
  readonly packages: { readonly apt: string; readonly dnf: string }
  /** Folders besides PATH. */
  readonly folders?: readonly string[]
}

/** Where distributions put CNI plugins. */
export const cniFolders = ['/opt/cni/bin', '/usr/lib/cni', '/usr/libexec/cni'] as const

/** What a node with real containers needs of the machine. */
export const neededPrograms: readonly NeededProgram[] = [
  { name: 'containerd', purpose: 'runs containers', packages: { apt: 'containerd', dnf: 'containerd' } },
  { name: 'runc', purpose: 'starts container processes', packages: { apt: 'runc', dnf: 'runc' } },
  {
    name: 'bridge',
    purpose: 'connects Pods (CNI plugins)',
    packages: { apt: 'containernetworking-plugins', dnf: 'containernetworking-plugins' },
    folders: cniFolders,
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
export function findProgram(name: string, folders: readonly string[] = []): string | undefined {
  for (const folder of [...folders, ...(process.env['PATH'] ?? '').split(delimiter), ...systemFolders]) {
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

/** The needed programs that this machine lacks. */
export const missingPrograms = (): readonly NeededProgram[] =>
  neededPrograms.filter(({ name, folders }) => findProgram(name, folders) === undefined)

/** The folder with the CNI plugins. */
export const cniFolder = (): string | undefined =>
  cniFolders.find((folder) => findProgram('bridge', [folder]) === join(folder, 'bridge'))
