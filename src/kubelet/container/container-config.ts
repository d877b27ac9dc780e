import type { Container, Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { Init } from '../../runtime/cri/codec.ts'
import type { ContainerConfig, Image } from '../../runtime/cri/generated/cri.ts'
import { containerAnnotations, containerLabels } from '../runtime-state/labels.ts'
import { containerEnv, type EnvSources } from './env.ts'
import { expand } from './expansion.ts'
import { containerMounts, type MountSources } from './mounts.ts'
import { containerResources, type ResourceOptions } from './container-resources.ts'
import { containerSecurity } from './security-context.ts'

/** What a container is made from besides the pod. */
export interface ContainerSources {
  readonly env: EnvSources
  readonly mounts: Omit<MountSources, 'env'>
  readonly resources: ResourceOptions
  readonly image: Image
  readonly imageRef: string
  readonly restartCount: number
  readonly seccompDefault: boolean
  readonly targetId: string | undefined
}

/** A container in CRI's words. Throws when something that it refers to is missing or may not be: the text is what its status shows. */
export async function containerConfig(
  pod: Frozen<Pod>,
  container: Frozen<Container>,
  sources: ContainerSources,
): Promise<Init<ContainerConfig>> {
  const security = containerSecurity(pod, container, {
    // An image that names nobody runs as root.
    image: {
      uid: sources.image.uid?.value ?? (sources.image.username ? undefined : 0),
      username: sources.image.username,
    },
    seccompDefault: sources.seccompDefault,
    seccompFolder: sources.mounts.files.seccompFolder(),
    targetId: sources.targetId,
    volumeGroups: [],
  })
  const env = await containerEnv(pod, container, sources.env)
  const mounts = await containerMounts(pod, container, { ...sources.mounts, env })
  const expanded = (text: string) => expand(text, (name) => env[name])
  return {
    metadata: { name: container.name, attempt: sources.restartCount },
    image: { image: sources.imageRef, userSpecifiedImage: container.image ?? '' },
    command: (container.command ?? []).map(expanded),
    args: (container.args ?? []).map(expanded),
    workingDir: container.workingDir ?? '',
    envs: Object.entries(env).map(([key, value]) => ({ key, value: Buffer.from(value) })),
    mounts,
    labels: containerLabels(pod, container),
    annotations: containerAnnotations(pod, container, sources.restartCount),
    logPath: `${container.name}/${sources.restartCount}.log`,
    stdin: container.stdin ?? false,
    stdinOnce: container.stdinOnce ?? false,
    tty: container.tty ?? false,
    linux: { resources: containerResources(pod, container, sources.resources), securityContext: security },
    ...stopSignal(container),
  }
}

function stopSignal(container: Frozen<Container>): Pick<Init<ContainerConfig>, 'stopSignal'> {
  const signal = container.lifecycle?.stopSignal
  // The API's names are CRI's.
  return signal ? { stopSignal: signal as NonNullable<Init<ContainerConfig>['stopSignal']> } : {}
}
