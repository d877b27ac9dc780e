import type { Deps } from '../../base/deps.ts'
import { RuntimeError, type ContainerRuntime, type RuntimeFilter } from '../runtime.ts'
import { measured } from './call-metrics.ts'
import { openConnection, type CallOptions, type CriConnection } from './connect.ts'
import type { FilesystemUsage } from './generated/cri.ts'

/** How the runtime is reached. */
export interface CriOptions extends Pick<Deps, 'clock'> {
  /** Counts and times every call, under upstream's names. */
  readonly metrics?: Deps['metrics']
  /** The path of the socket, or an endpoint `unix:///…`. */
  readonly socket: string
  /** The socket of the image service when it is another one. */
  readonly imageSocket?: string
  /** KubeletConfiguration's runtimeRequestTimeout. Default 2 minutes. */
  readonly requestTimeoutMs?: number
}

/** Images take longer than anything else; upstream gives up when a registry sends nothing, which the runtime itself sees to. */
const pullTimeoutMs = 60 * 60_000
/** What a stop may take beyond the container's own grace. */
const stopSlackMs = 2 * 60_000

/** Connects to a CRI runtime, such as containerd. Fails when it does not answer as one. */
export async function connectCri(options: CriOptions): Promise<ContainerRuntime> {
  const connect = (socket: string) => measured(openConnection(socket, options), options)
  const runtime = connect(options.socket)
  const images = options.imageSocket ? connect(options.imageSocket) : runtime
  const limit: CallOptions = { timeoutMs: options.requestTimeoutMs ?? 120_000 }
  try {
    await runtime.call('Version', { version: 'v1' }, limit)
  } catch (error) {
    runtime.close()
    if (images !== runtime) images.close()
    throw new Error(
      `no container runtime answers at ${options.socket}: is containerd running, with its CRI plugin enabled?`,
      { cause: error },
    )
  }
  return {
    ...sandboxes(runtime, limit),
    ...containers(runtime, limit),
    ...streaming(runtime, limit),
    ...imageService(images, limit),
    async close() {
      runtime.close()
      if (images !== runtime) images.close()
    },
  }
}

const filterOf = (filter: RuntimeFilter | undefined) => ({
  ...(filter?.id && { id: filter.id }),
  ...(filter?.labels && { labelSelector: filter.labels }),
})

/** What is gone is undefined; all else that fails, fails. */
async function orGone<T>(answer: Promise<T>): Promise<T | undefined> {
  try {
    return await answer
  } catch (error) {
    if (error instanceof RuntimeError && error.code === 'NotFound') return undefined
    throw error
  }
}

function sandboxes(cri: CriConnection, limit: CallOptions) {
  return {
    version: () => cri.call('Version', { version: 'v1' }, limit),
    async status() {
      const answer = await cri.call('Status', {}, limit)
      const features = {
        handlers: answer.runtimeHandlers,
        supplementalGroupsPolicy: answer.features?.supplementalGroupsPolicy ?? false,
      }
      return { status: answer.status ?? { conditions: [] }, features }
    },
    async cgroupDriver() {
      try {
        const { linux } = await cri.call('RuntimeConfig', {}, limit)
        return linux && (linux.cgroupDriver === 'SYSTEMD' ? 'systemd' : 'cgroupfs')
      } catch (error) {
        if (error instanceof RuntimeError && error.code === 'Unimplemented') return undefined
        throw error
      }
    },
    async updatePodCidr(podCidr) {
      await cri.call('UpdateRuntimeConfig', { runtimeConfig: { networkConfig: { podCidr } } }, limit)
    },
    // A sandbox's network may take its time: twice the limit, as upstream.
    runSandbox: async (config, runtimeHandler) =>
      (await cri.call('RunPodSandbox', { config, runtimeHandler }, { timeoutMs: limit.timeoutMs * 2 })).podSandboxId,
    async stopSandbox(podSandboxId) {
      await orGone(cri.call('StopPodSandbox', { podSandboxId }, limit))
    },
    async removeSandbox(podSandboxId) {
      await orGone(cri.call('RemovePodSandbox', { podSandboxId }, limit))
    },
    listSandboxes: async (filter) => (await cri.call('ListPodSandbox', { filter: filterOf(filter) }, limit)).items,
    sandboxStatus: async (podSandboxId) =>
      (await orGone(cri.call('PodSandboxStatus', { podSandboxId }, limit)))?.status,
  } satisfies Partial<ContainerRuntime>
}

function containers(cri: CriConnection, limit: CallOptions) {
  return {
    createContainer: async (podSandboxId, config, sandboxConfig) =>
      (await cri.call('CreateContainer', { podSandboxId, config, sandboxConfig }, limit)).containerId,
    async startContainer(containerId) {
      await cri.call('StartContainer', { containerId }, limit)
    },
    async stopContainer(containerId, graceSeconds) {
      const timeoutMs = graceSeconds * 1000 + stopSlackMs
      await orGone(cri.call('StopContainer', { containerId, timeout: Math.max(0, graceSeconds) }, { timeoutMs }))
    },
    async removeContainer(containerId) {
      await orGone(cri.call('RemoveContainer', { containerId }, limit))
    },
    async listContainers(filter) {
      const { id, labelSelector } = filterOf(filter)
      return (
        await cri.call(
          'ListContainers',
          { filter: { ...(id && { podSandboxId: id }), ...(labelSelector && { labelSelector }) } },
          limit,
        )
      ).containers
    },
    containerStatus: async (containerId) => (await orGone(cri.call('ContainerStatus', { containerId }, limit)))?.status,
    async updateContainerResources(containerId, linux) {
      await cri.call('UpdateContainerResources', { containerId, linux }, limit)
    },
    async reopenContainerLog(containerId) {
      await cri.call('ReopenContainerLog', { containerId }, limit)
    },
    async execSync(containerId, cmd, timeoutMs) {
      const timeout = Math.ceil(timeoutMs / 1000)
      return cri.call(
        'ExecSync',
        { containerId, cmd, timeout },
        { timeoutMs: timeoutMs > 0 ? timeoutMs + limit.timeoutMs : pullTimeoutMs },
      )
    },
  } satisfies Partial<ContainerRuntime>
}

function streaming(cri: CriConnection, limit: CallOptions) {
  return {
    execUrl: async (containerId, cmd, streams) => (await cri.call('Exec', { containerId, cmd, ...streams }, limit)).url,
    attachUrl: async (containerId, streams) => (await cri.call('Attach', { containerId, ...streams }, limit)).url,
    portForwardUrl: async (podSandboxId, port) => (await cri.call('PortForward', { podSandboxId, port }, limit)).url,
    containerStats: async (filter) => (await cri.call('ListContainerStats', { filter: filterOf(filter) }, limit)).stats,
    sandboxStats: async (filter) => (await cri.call('ListPodSandboxStats', { filter: filterOf(filter) }, limit)).stats,
    events: eventSource(cri),
  } satisfies Partial<ContainerRuntime>
}

const endings = new Set(['CONTAINER_STOPPED_EVENT', 'CONTAINER_DELETED_EVENT'])

/** By CRI where the runtime has it, else by containerd's own events. What it does not have is asked for once: containerd logs each time as an error. */
function eventSource(cri: CriConnection): ContainerRuntime['events'] {
  let byCri = true
  return async function* events(signal) {
    try {
      const told = byCri ? cri.stream('GetContainerEvents', {}, signal) : []
      for await (const { containerId, containerEventType, podSandboxStatus, containersStatuses } of told) {
        const labels = podSandboxStatus?.labels ?? containersStatuses[0]?.labels
        yield { id: containerId, ended: endings.has(containerEventType), labels }
      }
    } catch (error) {
      if (!(error instanceof RuntimeError && error.code === 'Unimplemented')) throw error
      byCri = false
    }
    if (!byCri) yield* cri.containerdEvents(signal)
  }
}

function imageService(cri: CriConnection, limit: CallOptions) {
  return {
    pullImage: async (image, auth, sandboxConfig) =>
      (await cri.call('PullImage', { image, auth, sandboxConfig }, { timeoutMs: pullTimeoutMs })).imageRef,
    async imageStatus(image) {
      const found = (await cri.call('ImageStatus', { image }, limit)).image
      return found?.id ? found : undefined
    },
    listImages: async () => (await cri.call('ListImages', {}, limit)).images,
    async removeImage(image) {
      await cri.call('RemoveImage', { image }, limit)
    },
    async imageFilesystems(): Promise<FilesystemUsage[]> {
      const answer = await cri.call('ImageFsInfo', {}, limit)
      return [...answer.imageFilesystems, ...answer.containerFilesystems]
    },
  } satisfies Partial<ContainerRuntime>
}
