import type { Clock } from '../../../base/clock.ts'
import { noPodCgroups } from '../../cgroups/pod-cgroups.ts'
import { SimulatedVolumes } from '../../volumes/simulated-volumes.ts'
import { upstreamVersion } from '../../version.ts'
import type { Host, PodFiles } from '../host.ts'

/** What a simulated machine is like. */
export interface SimulatedHostOptions {
  readonly clock: Clock
  readonly hostname: string
  /** Its address. */
  readonly address: string
  /** Default: 8 cores, 32 GiB, 100 GiB of disk. */
  readonly capacity?: Readonly<Record<string, string>>
}

const capacityDefault = { cpu: '8', memory: '32Gi', 'ephemeral-storage': '100Gi' }

/** A machine without files, cgroups or network: every probe succeeds, nothing fills up. */
export function simulatedHost(options: SimulatedHostOptions): Host {
  const { hostname, address } = options
  return {
    needsUpkeep: false,
    machine: {
      capacity: async () => options.capacity ?? capacityDefault,
      nodeInfo: async () => ({
        machineID: hostname,
        systemUUID: hostname,
        bootID: hostname,
        kernelVersion: 'simulated',
        osImage: 'Kubernode (simulated)',
        containerRuntimeVersion: 'simulated://1.0.0',
        kubeletVersion: upstreamVersion,
        kubeProxyVersion: '',
        operatingSystem: 'linux',
        architecture: 'amd64',
      }),
      addresses: async () => [
        { type: 'InternalIP', address },
        { type: 'Hostname', address: hostname },
      ],
      resolver: async () => ({ servers: [], searches: [], options: [] }),
      usage: async () => ({
        memoryAvailableBytes: 2 ** 35,
        memoryCapacityBytes: 2 ** 35,
        nodefs: undefined,
        imagefs: undefined,
        separateImagefs: false,
        pidsAvailable: 32_000,
        pidsMax: 32_768,
      }),
    },
    files: simulatedFiles,
    cgroups: noPodCgroups,
    dial: {
      http: async () => ({ status: 200, body: '', redirectedAway: false }),
      tcp: async () => undefined,
      grpc: async () => 'SERVING',
    },
    volumes: (volumes) => new SimulatedVolumes(volumes),
  }
}

const simulatedFiles: PodFiles = {
  preparePod: async () => undefined,
  logFolder: (pod) => `/var/log/pods/${pod.metadata.namespace}_${pod.metadata.name}_${pod.metadata.uid}`,
  writeHosts: async () => undefined,
  terminationFile: async () => undefined,
  terminationMessage: async () => '',
  restartCountByLogs: async () => 0,
  linkLog: async () => undefined,
  removePod: async () => undefined,
  removeLogs: async () => undefined,
  podUids: async () => [],
  subPath: async ({ volumePath, subPath }) => `${volumePath}/${subPath}`,
  ensureFolder: async () => undefined,
  seccompFolder: () => '/var/lib/kubelet/seccomp',
  diskUsage: async () => ({ bytes: 0, inodes: 0 }),
  envFileValue: async () => undefined,
}
