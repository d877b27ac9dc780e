import type { Container, Secret } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { Init } from '../../runtime/cri/codec.ts'
import type { PodSandboxConfig } from '../../runtime/cri/generated/cri.ts'
import { sandboxConfig } from '../container/sandbox-config.ts'
import { podDns } from '../network/pod-dns.ts'
import { isHostNetwork, isRestartable } from '../pod/containers.ts'
import { ipsOf, type PodState } from '../runtime-state/pod-state.ts'
import { killContainer, killPod } from './kill-pod.ts'
import type { PodPlan } from './plan.ts'
import type { PodTask } from './services.ts'
import { failResize, type ResizeMemory } from './resize.ts'
import { startContainer } from './start-container.ts'
import { StartFailure } from './start-failure.ts'
import { updateContainers } from './update-containers.ts'

/** What carrying out a plan gave. */
export interface Outcome {
  /** Something was started or ended: the runtime has to be looked at again. */
  readonly changed: boolean
  /** By container: why it could not start, undefined when it did. */
  readonly starts: ReadonlyMap<string, StartFailure | undefined>
  /** What else failed; tried again after the usual wait. */
  readonly failure: Error | undefined
}

/** What a plan is carried out with. */
export interface CarryOutOptions {
  readonly plan: PodPlan
  readonly state: PodState
  readonly cgroupParent: string
  readonly secrets: readonly Frozen<Secret>[]
  readonly resize: ResizeMemory
}

/** Carries out a plan, step by step in upstream's order. A step that fails ends it; the next plan begins from what is there then. */
export async function carryOut(task: PodTask, options: CarryOutOptions): Promise<Outcome> {
  const { plan, state } = options
  const { services, pod } = task
  const starts = new Map<string, StartFailure | undefined>()
  try {
    if (plan.createSandbox?.replaces)
      services.events.pod(pod, 'Normal', 'SandboxChanged', 'Pod sandbox changed, it will be killed and re-created.')
    if (plan.killPod) {
      await killPod(task, { state })
      if (plan.createSandbox) await removeInitContainers(task, state)
    } else {
      for (const { container, message, reason } of plan.kill)
        await killContainer(task, { state, container, message, reason })
    }
    const needsSandbox =
      plan.createSandbox !== undefined || plan.startEphemeral.length + plan.startInit.length + plan.start.length > 0
    if (plan.update.length > 0) await resize(task, options)
    if (!needsSandbox || (plan.killPod && !plan.createSandbox))
      return { changed: plan.killPod || plan.kill.length + plan.update.length > 0, starts, failure: undefined }

    await forgetOldInitContainers(task, state)
    const runtimeHandler = await services.runtimeHandler(pod)
    const config = sandboxConfigOf(task, plan.attempt, options.cgroupParent)
    const { sandboxId, podIps } = plan.createSandbox
      ? await createSandbox(task, config, runtimeHandler)
      : { sandboxId: plan.sandboxId, podIps: ipsOf(state) }
    await startAll(task, options, {
      starts,
      start: {
        state,
        sandboxId,
        sandboxConfig: config,
        podIps: isHostNetwork(pod) ? services.node().hostIps : podIps,
        secrets: options.secrets,
        runtimeHandler,
        resize: options.resize,
      },
    })
    return { changed: true, starts, failure: undefined }
  } catch (error) {
    return { changed: true, starts, failure: error as Error }
  }
}

/** A resize that fails holds up nothing else: its condition tells, and it is tried again. */
async function resize(task: PodTask, { plan, resize: memory }: CarryOutOptions): Promise<void> {
  const { services, pod } = task
  try {
    await updateContainers(task, plan.update, memory)
    await services.host.cgroups.ensurePod(pod)
  } catch (error) {
    services.log.warn({ err: error, pod: pod.metadata.name }, 'a pod could not be resized')
    failResize(pod, memory, {
      message: (error as Error).message,
      nowMs: services.clock.now(),
      event: (type, reason, message) => services.events.pod(pod, type, reason, message),
    })
  }
}

function sandboxConfigOf({ services, pod }: PodTask, attempt: number, cgroupParent: string): Init<PodSandboxConfig> {
  const { settings, host } = services
  const dns = podDns(pod, {
    clusterDns: settings.clusterDns,
    clusterDomain: settings.clusterDomain,
    host: services.node().resolver,
  })
  if (dns.fallsBack) {
    services.events.pod(
      pod,
      'Warning',
      'MissingClusterDNS',
      `pod: "${pod.metadata.name}_${pod.metadata.namespace}(${pod.metadata.uid})". kubelet does not have ClusterDNS IP configured and cannot create Pod using "${pod.spec?.dnsPolicy}" policy. Falling back to "Default" policy.`,
    )
  }
  return sandboxConfig(pod, {
    attempt,
    dns: dns.resolver,
    clusterDomain: settings.clusterDomain,
    logDirectory: host.files.logFolder(pod),
    cgroupParent,
    cpuCfsPeriodUs: settings.cpuCfsPeriodUs,
  })
}

async function createSandbox(
  { services, pod }: PodTask,
  config: Init<PodSandboxConfig>,
  runtimeHandler: string,
): Promise<{ readonly sandboxId: string; readonly podIps: readonly string[] }> {
  const sandboxId = await services.runtime.runSandbox(config, runtimeHandler).catch((error: unknown) => {
    services.events.pod(
      pod,
      'Warning',
      'FailedCreatePodSandBox',
      `Failed to create pod sandbox: ${(error as Error).message}`,
    )
    throw error
  })
  const sandbox = await services.state.madeSandbox(sandboxId)
  if (!sandbox) {
    services.events.pod(
      pod,
      'Warning',
      'FailedPodSandBoxStatus',
      `Unable to get pod sandbox status: sandbox ${sandboxId} is gone`,
    )
    throw new Error(`sandbox ${sandboxId} is gone`)
  }
  return { sandboxId, podIps: sandbox.ips ?? [] }
}

interface StartAll {
  readonly starts: Map<string, StartFailure | undefined>
  readonly start: Parameters<typeof startContainer>[2]
}

async function startAll(task: PodTask, { plan }: CarryOutOptions, { starts, start }: StartAll): Promise<void> {
  const attempt = async (container: Frozen<Container>): Promise<boolean> => {
    try {
      await startContainer(task, container, start)
      starts.set(container.name, undefined)
      return true
    } catch (error) {
      if (!(error instanceof StartFailure)) throw error
      starts.set(container.name, error)
      return false
    }
  }
  for (const container of plan.startEphemeral) await attempt(container)
  for (const container of plan.startInit) {
    // A sidecar that fails does not hold up what is there; an init container does.
    if (!(await attempt(container)) && !isRestartable(container)) return
  }
  for (const container of plan.start) await attempt(container)
}

/** With a new sandbox, initialization begins anew: what is left of the old one must not count. */
async function removeInitContainers({ services, pod }: PodTask, state: PodState): Promise<void> {
  const names = new Set((pod.spec?.initContainers ?? []).map(({ name }) => name))
  for (const { id, name } of state.containers) if (names.has(name)) await services.runtime.removeContainer(id)
}

/** Of each ended init container the newest is kept: the others would only pile up. */
async function forgetOldInitContainers({ services, pod }: PodTask, state: PodState): Promise<void> {
  const names = new Set((pod.spec?.initContainers ?? []).map(({ name }: { readonly name: string }) => name))
  const seen = new Set<string>()
  for (const { id, name, phase } of state.containers) {
    if (!names.has(name) || (phase !== 'exited' && phase !== 'unknown')) continue
    if (seen.has(name)) await services.runtime.removeContainer(id)
    seen.add(name)
  }
}
