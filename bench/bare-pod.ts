import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { Pod } from '../src/api/generated/types/core-v1.ts'
import type { Frozen } from '../src/api/resource.ts'
import type { Deps } from '../src/base/deps.ts'
import { containerConfig } from '../src/kubelet/container/container-config.ts'
import { sandboxConfig } from '../src/kubelet/container/sandbox-config.ts'
import { LinuxPodFiles } from '../src/kubelet/host/linux/pod-files.ts'
import type { Init } from '../src/runtime/cri/codec.ts'
import type { ContainerConfig, PodSandboxConfig } from '../src/runtime/cri/generated/cri.ts'
import type { ContainerRuntime } from '../src/runtime/runtime.ts'

/** What bare Pods are made with. */
export interface BareOptions extends Deps {
  readonly runtime: ContainerRuntime
  /** Files of the Pods, as a kubelet keeps them. */
  readonly folder: string
  /** A cgroup that is there. */
  readonly cgroupParent: string
}

/** A Pod in CRI's words, ready to be started. */
export interface BarePod {
  readonly sandbox: Init<PodSandboxConfig>
  readonly container: Init<ContainerConfig>
}

const cpuCfsPeriodUs = 100_000
/** What stands in the hosts file: the address is not known before the sandbox is. */
const podIps = ['10.0.0.1']

/** What the kubelet would ask of the runtime for this Pod: the same configuration with the same files, under labels that no kubelet takes for its own. */
export async function barePod(
  pod: Frozen<Pod>,
  { runtime, folder, cgroupParent, random }: BareOptions,
): Promise<BarePod> {
  const uid = random.uuid()
  const like: Frozen<Pod> = { ...pod, metadata: { ...pod.metadata, uid, name: `bare-${pod.metadata.name}` } }
  const files = new LinuxPodFiles({
    rootDir: folder,
    podLogsDir: join(folder, 'logs'),
    containerLogsDir: join(folder, 'links'),
    random,
  })
  await files.preparePod(like)
  const [container] = like.spec!.containers
  const image = await runtime.imageStatus({ image: container!.image })
  const sandbox = sandboxConfig(like, {
    attempt: 0,
    dns: {
      servers: ['10.96.0.10'],
      searches: ['default.svc.cluster.local', 'svc.cluster.local', 'cluster.local'],
      options: ['ndots:5'],
    },
    clusterDomain: 'cluster.local',
    logDirectory: files.logFolder(like),
    cgroupParent,
    cpuCfsPeriodUs,
  })
  const nothing = async (): Promise<never> => Promise.reject(new Error('a bare Pod refers to nothing'))
  const config = await containerConfig(like, container!, {
    env: {
      objects: { configMap: nothing, secret: nothing, services: async () => [] },
      node: { podIps, hostIps: [] },
      allocatable: {},
      fileValue: async () => undefined,
    },
    mounts: { files, volumes: new Map(), podIps, clusterDomain: 'cluster.local', recursiveReadOnly: false },
    resources: {
      nodeMemoryBytes: 2 ** 33,
      cpuCfsQuota: true,
      cpuCfsPeriodUs,
      singleProcessOomKill: false,
      cgroups: { version: undefined, countsSwap: false },
    },
    image: image!,
    imageRef: image!.id,
    restartCount: 0,
    seccompDefault: false,
    targetId: undefined,
  })
  return { sandbox: { ...sandbox, labels: { bench: uid } }, container: { ...config, labels: { bench: uid } } }
}

/** The calls that a kubelet needs for one Pod, one after the other; returns the sandbox. */
export async function startBare({ sandbox, container }: BarePod, runtime: ContainerRuntime): Promise<string> {
  const sandboxId = await runtime.runSandbox(sandbox, '')
  await runtime.sandboxStatus(sandboxId)
  await runtime.imageStatus({ image: container.image?.userSpecifiedImage })
  const containerId = await runtime.createContainer(sandboxId, container, sandbox)
  await runtime.startContainer(containerId)
  await runtime.containerStatus(containerId)
  return sandboxId
}

/** Takes a bare Pod away. */
export async function removeBare(sandboxId: string, { runtime, folder }: BareOptions): Promise<void> {
  await runtime.stopSandbox(sandboxId)
  await runtime.removeSandbox(sandboxId)
  await rm(join(folder, 'pods'), { recursive: true, force: true })
}
