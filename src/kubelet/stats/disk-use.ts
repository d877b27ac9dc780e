import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { ContainerStats } from '../../runtime/cri/generated/cri.ts'
import type { FileUse, PodFiles } from '../host/host.ts'
import type { PodVolumes } from '../volumes/pod-volumes.ts'

/** What a pod takes of its node's disks. */
export interface PodDiskUse {
  /** What each container wrote into its own file system. */
  readonly layers: ReadonlyMap<string, FileUse>
  /** Each container's logs. */
  readonly logs: ReadonlyMap<string, FileUse>
  /** Each volume that lies on the node's disk and ends with the pod. */
  readonly volumes: ReadonlyMap<string, FileUse>
}

/** What is read, and with what. */
export interface DiskUseSources {
  readonly files: Pick<PodFiles, 'diskUsage' | 'logFolder'>
  readonly volumes: Pick<PodVolumes, 'mounted'>
  /** The runtime's figures of the pod's containers. */
  readonly stats: readonly ContainerStats[]
}

/** Reads it: every file of logs and volumes is visited, so this is not for every day. */
export async function readDiskUse(pod: Frozen<Pod>, { files, volumes, stats }: DiskUseSources): Promise<PodDiskUse> {
  const layers = new Map<string, FileUse>()
  const logs = new Map<string, FileUse>()
  for (const { attributes, writableLayer } of stats) {
    const name = attributes?.metadata?.name ?? ''
    layers.set(
      name,
      sum([
        layers.get(name) ?? nothing,
        { bytes: writableLayer?.usedBytes?.value ?? 0, inodes: writableLayer?.inodesUsed?.value ?? 0 },
      ]),
    )
    logs.set(name, await files.diskUsage(`${files.logFolder(pod)}/${name}`))
  }
  const mounted = volumes.mounted(pod.metadata.uid ?? '')
  const used = new Map<string, FileUse>()
  for (const { name, emptyDir, configMap } of pod.spec?.volumes ?? []) {
    const hostPath = (emptyDir && !emptyDir.medium) || configMap ? mounted.get(name)?.hostPath : undefined
    if (hostPath) used.set(name, await files.diskUsage(hostPath))
  }
  return { layers, logs, volumes: used }
}

const nothing: FileUse = { bytes: 0, inodes: 0 }

/** Together. */
export function sum(uses: Iterable<FileUse>): FileUse {
  let [bytes, inodes] = [0, 0]
  for (const use of uses) {
    bytes += use.bytes
    inodes += use.inodes
  }
  return { bytes, inodes }
}
