import type { Container, Pod, Secret } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { Init } from '../../runtime/cri/codec.ts'
import type { PodSandboxConfig } from '../../runtime/cri/generated/cri.ts'
import { containerConfig } from '../container/container-config.ts'
import { runHook } from '../container/hook.ts'
import { podText } from '../pod/containers.ts'
import { containerOf, type PodState } from '../runtime-state/pod-state.ts'
import { durationText } from './back-off.ts'
import { killContainer } from './kill-pod.ts'
import { backOffKey, resourceOptions, type PodTask } from './services.ts'
import type { ResizeMemory } from './resize.ts'
import { StartFailure } from './start-failure.ts'

/** Where and how a container starts. */
export interface StartOptions {
  readonly state: PodState
  readonly sandboxId: string
  readonly sandboxConfig: Init<PodSandboxConfig>
  readonly podIps: readonly string[]
  readonly secrets: readonly Frozen<Secret>[]
  readonly runtimeHandler: string
  readonly resize: ResizeMemory
}

/** Starts one container: waits its back-off, pulls, creates, starts, runs its postStart hook. Rejects with a `StartFailure`. */
export async function startContainer(
  task: PodTask,
  container: Frozen<Container>,
  options: StartOptions,
): Promise<void> {
  task.signal?.throwIfAborted()
  waitBackOff(task, container, options.state)
  const { services, pod } = task
  const tell = (type: 'Normal' | 'Warning', reason: string, message: string) =>
    services.events.container({ pod, container }, type, reason, message)
  const failed = (reason: string, error: unknown): StartFailure => {
    tell('Warning', 'Failed', `Error: ${textOf(error)}`)
    return error instanceof StartFailure ? error : new StartFailure(reason, textOf(error))
  }
  const found = await services.images
    .ensure({
      pod,
      image: container.image ?? '',
      policy: container.imagePullPolicy,
      secrets: options.secrets,
      sandboxConfig: options.sandboxConfig,
      runtimeHandler: options.runtimeHandler,
      tell,
      signal: task.signal,
    })
    .catch((error: unknown) => {
      // The event names the kind of failure, as upstream's does; the image's own events tell the rest.
      if (error instanceof StartFailure) tell('Warning', 'Failed', `Error: ${error.reason}`)
      throw error
    })

  const restartCount = await nextRestartCount(task, container.name, options.state)
  const config = await configure(task, container, { options, found, restartCount }).catch((error: unknown) => {
    throw failed('CreateContainerConfigError', error)
  })
  const containerId = await services.runtime
    .createContainer(options.sandboxId, config, options.sandboxConfig)
    .catch((error: unknown) => {
      throw failed('CreateContainerError', error)
    })
  options.resize.given.set(containerId, container.resources ?? {})
  tell('Normal', 'Created', 'Container created')
  const linked = services.host.files.linkLog(
    pod,
    container.name,
    containerId,
    `${options.sandboxConfig.logDirectory}/${config.logPath}`,
  )
  const [started] = await Promise.allSettled([services.runtime.startContainer(containerId), linked])
  if (started.status === 'rejected') throw failed('RunContainerError', started.reason)
  tell('Normal', 'Started', 'Container started')
  await linked
  if (container.lifecycle?.postStart) await runPostStart(task, container, { containerId, options })
}

/** The runtime's own words, without gRPC's around them, as upstream's events have them. */
const textOf = (error: unknown): string => (error as Error).message.replace(/^rpc error: code = \w+ desc = /, '')

/** A container that ended waits before it starts again: the time doubles with each end. */
function waitBackOff({ services, pod }: PodTask, container: Frozen<Container>, state: PodState): void {
  const last = state.containers.find(({ name, phase }) => name === container.name && phase === 'exited')
  if (!last) return
  const key = backOffKey(pod, container)
  if (services.restarts.waitsSince(key, last.finishedAtMs)) {
    services.events.container(
      { pod, container },
      'Warning',
      'BackOff',
      `Back-off restarting failed container ${container.name} in pod ${podText(pod)}`,
    )
    const delayMs = services.restarts.delayMs(key)
    throw new StartFailure(
      'CrashLoopBackOff',
      `back-off ${durationText(delayMs)} restarting failed container=${container.name} pod=${podText(pod)}`,
      last.finishedAtMs + delayMs,
    )
  }
  services.restarts.next(key, last.finishedAtMs)
}

async function nextRestartCount({ services, pod }: PodTask, name: string, state: PodState): Promise<number> {
  const last = containerOf(state, name)
  return last ? last.restartCount + 1 : services.host.files.restartCountByLogs(pod, name)
}

interface ConfigureOptions {
  readonly options: StartOptions
  readonly found: Awaited<ReturnType<PodTask['services']['images']['ensure']>>
  readonly restartCount: number
}

function configure(
  { services, pod }: PodTask,
  container: Frozen<Container>,
  { options, found, restartCount }: ConfigureOptions,
) {
  const node = services.node()
  const ephemeral = pod.spec?.ephemeralContainers?.find(({ name }) => name === container.name)
  const volumes = services.volumes.mounted(pod.metadata.uid ?? '')
  const { settings } = services
  return containerConfig(pod, container, {
    env: {
      objects: services.objects,
      node: { podIps: options.podIps, hostIps: node.hostIps },
      allocatable: node.allocatable,
      fileValue: async (volume, path, key) =>
        services.host.files.envFileValue(volumes.get(volume)?.hostPath ?? '', path, key),
    },
    mounts: {
      files: services.host.files,
      volumes,
      podIps: options.podIps,
      clusterDomain: settings.clusterDomain,
      recursiveReadOnly: node.recursiveReadOnlyHandlers.has(options.runtimeHandler),
    },
    resources: resourceOptions(services),
    image: found.image,
    imageRef: found.imageRef,
    restartCount,
    seccompDefault: settings.seccompDefault,
    targetId: ephemeral?.targetContainerName ? targetOf(options.state, ephemeral.targetContainerName) : undefined,
  })
}

function targetOf(state: PodState, name: string): string {
  const target = containerOf(state, name)
  if (!target) throw new Error(`unable to find target container ${name}`)
  return target.id
}

async function runPostStart(
  task: PodTask,
  container: Frozen<Container>,
  { containerId, options }: { containerId: string; options: StartOptions },
): Promise<void> {
  const { services, pod } = task
  const subject = { pod, container, containerId, podIp: options.podIps[0] ?? services.node().hostIps[0] ?? '' }
  try {
    await runHook(container.lifecycle!.postStart!, subject, {
      runtime: services.runtime,
      clock: services.clock,
      dial: services.host.dial,
    })
  } catch (error) {
    services.log.warn({ err: error, pod: pod.metadata.name, container: container.name }, 'postStart hook failed')
    services.events.container({ pod, container }, 'Warning', 'FailedPostStartHook', 'PostStartHook failed')
    const state = await services.state.pod(podKey(pod), services.state.mark())
    const running = state.containers.find(({ id }) => id === containerId)
    if (running)
      await killContainer(task, {
        state,
        container: running,
        message: 'FailedPostStartHook',
        reason: 'FailedPostStartHook',
      })
    throw new StartFailure('PostStartHookError', textOf(error))
  }
}

/** How the runtime state finds a pod. */
export const podKey = (pod: Frozen<Pod>) => ({
  uid: pod.metadata.uid ?? '',
  name: pod.metadata.name ?? '',
  namespace: pod.metadata.namespace ?? '',
})
