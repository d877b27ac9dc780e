import type { Container, Node, Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { ContainerStatus } from '../../runtime/cri/generated/cri.ts'
import type { Resolver } from '../network/pod-dns.ts'
import type { PodVolumes, VolumeOptions } from '../volumes/pod-volumes.ts'

/** The machine under a kubelet. `linux/` is a real one; `simulated/` has no files, no cgroups and no network, so that thousands fit in a process. */
export interface Host {
  /** Logs grow, disks fill, configuration in files must follow: there is something to look after. */
  readonly needsUpkeep: boolean
  readonly machine: Machine
  readonly files: PodFiles
  readonly cgroups: PodCgroups
  readonly dial: Dial
  /** The node's volumes. */
  readonly volumes: (options: VolumeOptions) => PodVolumes
}

/** What the node object says of the machine. */
export interface Machine {
  /** Capacity (without pods), and what of it nobody may use is the configuration's. */
  capacity(): Promise<Readonly<Record<string, string>>>
  nodeInfo(): Promise<NonNullable<NonNullable<Node['status']>['nodeInfo']>>
  /** The addresses of type InternalIP and Hostname. */
  addresses(): Promise<readonly { readonly type: string; readonly address: string }[]>
  resolver(path: string): Promise<Resolver>
  /** Free and total room, for the pressure conditions. */
  usage(): Promise<MachineUsage>
}

/** Room on the machine in bytes and counts; undefined where it cannot be read. */
export interface MachineUsage {
  readonly memoryAvailableBytes: number
  readonly memoryCapacityBytes: number
  readonly nodefs: FilesystemUsage | undefined
  readonly imagefs: FilesystemUsage | undefined
  /** Images, and what containers write, lie on another disk than all else. */
  readonly separateImagefs: boolean
  readonly pidsAvailable: number
  readonly pidsMax: number
}

/** What files take on a disk. */
export interface FileUse {
  readonly bytes: number
  readonly inodes: number
}

/** Of one file system. */
export interface FilesystemUsage {
  readonly availableBytes: number
  readonly capacityBytes: number
  readonly inodesFree: number
  readonly inodes: number
}

/** A pod's files outside its volumes, by upstream's layout. */
export interface PodFiles {
  /** Makes the pod's folders: `pods/UID/{volumes,plugins,containers}` and that of its logs. */
  preparePod(pod: Frozen<Pod>): Promise<void>
  /** /var/log/pods/NAMESPACE_NAME_UID */
  logFolder(pod: Frozen<Pod>): string
  /** Writes the pod's /etc/hosts and returns its path; undefined: containers keep their image's. */
  writeHosts(pod: Frozen<Pod>, ips: readonly string[], clusterDomain: string): Promise<string | undefined>
  /** A new empty file for a termination message; undefined: none is kept. */
  terminationFile(pod: Frozen<Pod>, container: Frozen<Container>): Promise<string | undefined>
  /** What an ended container left to say. */
  terminationMessage(status: ContainerStatus): Promise<string>
  /** One more than the newest log of the container: its restart count when the runtime has forgotten it. */
  restartCountByLogs(pod: Frozen<Pod>, containerName: string): Promise<number>
  /** The link in /var/log/containers by which log shippers find the container. */
  linkLog(pod: Frozen<Pod>, containerName: string, containerId: string, logPath: string): Promise<void>
  /** Removes the pod's folders; its volumes must be unmounted. Logs stay for the garbage collector. */
  removePod(uid: string): Promise<void>
  /** Removes the logs of pods that are no more, and links that lead nowhere. */
  removeLogs(isKept: (uid: string) => boolean): Promise<void>
  /** Pods that have folders. */
  podUids(): Promise<readonly string[]>
  /** A path inside a volume that no link leads out of, made when it is missing. */
  subPath(options: SubPathOptions): Promise<string>
  /** Makes a hostPath directory that a container mounts and that does not exist. */
  ensureFolder(path: string): Promise<void>
  seccompFolder(): string
  /** What the files below a folder take. */
  diskUsage(path: string): Promise<FileUse>
  /** The value of a key in an env file of a volume; undefined when it has none. */
  envFileValue(volumePath: string, path: string, key: string): Promise<string | undefined>
}

/** Which part of which volume for which container. */
export interface SubPathOptions {
  readonly pod: Frozen<Pod>
  readonly containerName: string
  readonly volumeName: string
  readonly volumePath: string
  readonly subPath: string
  /** Of the mount within the container: part of the name of the bind mount. */
  readonly index: number
  readonly readOnly: boolean
}

/** The cgroups above the runtime's: one for each class of service, one for each pod. */
export interface PodCgroups {
  /** What containers have to be told of; known when the node is prepared. */
  readonly kind: CgroupKind
  /** Makes the root and the classes' cgroups, with what is `available` to pods: all but what is kept for the system. */
  prepareNode(available: Readonly<Record<string, string>>): Promise<void>
  /** Makes the pod's, with its limits, wide enough for what it was `before` too; returns what the runtime is told as the parent, '' without cgroups of our own. */
  ensurePod(pod: Frozen<Pod>, before?: Frozen<Pod>): Promise<string>
  /** Where the pod's would be. */
  parentOf(pod: Frozen<Pod>): string
  /** The classes' shares after the pods changed. */
  updateClasses(pods: readonly Frozen<Pod>[]): Promise<void>
  /** Ends what still runs in it, and removes it. */
  removePod(uid: string): Promise<void>
  /** Pods that have a cgroup. */
  podUids(): Promise<readonly string[]>
  /** What the pod's cgroup says of its use; undefined without one. */
  podUsage(uid: string): Promise<CgroupUsage | undefined>
  /** What the whole machine used, as its root cgroup counts it. */
  nodeUsage(): Promise<CgroupUsage | undefined>
}

/** How the kernel counts. */
export interface CgroupKind {
  /** Undefined: containers' cgroups are the runtime's affair. */
  readonly version: 1 | 2 | undefined
  /** Swap is counted, and so can be limited. */
  readonly countsSwap: boolean
}

/** What a cgroup used. */
export interface CgroupUsage {
  readonly cpuNanos: number
  readonly memoryBytes: number
  readonly workingSetBytes: number
  readonly rssBytes: number
  readonly pids: number
}

/** How probes and hooks reach a pod from the node. */
export interface Dial {
  http(request: HttpProbe): Promise<HttpAnswer>
  /** Resolves when the connection is there; rejects with the reason when it is not. */
  tcp(host: string, port: number, timeoutMs: number): Promise<void>
  /** The status of the gRPC health service. Rejects when there is none. */
  grpc(
    host: string,
    port: number,
    service: string,
    timeoutMs: number,
  ): Promise<'SERVING' | 'NOT_SERVING' | 'UNKNOWN' | 'SERVICE_UNKNOWN'>
}

/** A GET as probes send it: certificates are not checked, redirects to other hosts not followed. */
export interface HttpProbe {
  readonly scheme: 'http' | 'https'
  readonly host: string
  readonly port: number
  readonly path: string
  readonly headers: readonly (readonly [string, string])[]
  readonly timeoutMs: number
}

/** What came back; the body cut to what a message shows. */
export interface HttpAnswer {
  readonly status: number
  readonly body: string
  /** It led to another host. */
  readonly redirectedAway: boolean
}
