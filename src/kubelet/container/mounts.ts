import { isAbsolute } from 'node:path'
import type { Container, Pod, VolumeMount } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { Init } from '../../runtime/cri/codec.ts'
import type { Mount, MountPropagation } from '../../runtime/cri/generated/cri.ts'
import type { PodFiles } from '../host/host.ts'
import type { MountedVolume } from '../volumes/pod-volumes.ts'
import { expand } from './expansion.ts'

/** What mounts are made from. */
export interface MountSources {
  readonly files: PodFiles
  readonly volumes: ReadonlyMap<string, MountedVolume>
  readonly env: Readonly<Record<string, string>>
  readonly podIps: readonly string[]
  readonly clusterDomain: string
  /** The runtime handler can make everything below a mount read-only too. */
  readonly recursiveReadOnly: boolean
}

const hostsPath = '/etc/hosts'

/** The container's mounts: its volumes, the pod's hosts file, its termination message. Throws when a volume is not there or a path leads out of it. */
export async function containerMounts(
  pod: Frozen<Pod>,
  container: Frozen<Container>,
  sources: MountSources,
): Promise<Init<Mount>[]> {
  const mounts: Init<Mount>[] = []
  for (const [index, mount] of (container.volumeMounts ?? []).entries())
    mounts.push(await volumeMount(pod, container, mount, { ...sources, index }))
  const ownHosts = container.volumeMounts?.some(({ mountPath }) => mountPath === hostsPath)
  if (!ownHosts && (sources.podIps.length > 0 || pod.spec?.hostNetwork)) {
    const hostPath = await sources.files.writeHosts(pod, sources.podIps, sources.clusterDomain)
    if (hostPath) mounts.push({ containerPath: hostsPath, hostPath })
  }
  const { terminationMessagePath } = container
  if (terminationMessagePath) {
    const hostPath = await sources.files.terminationFile(pod, container)
    if (hostPath) mounts.push({ containerPath: absolute(terminationMessagePath), hostPath })
  }
  return mounts
}

const absolute = (path: string) => (path.startsWith('/') ? path : `/${path}`)

const propagations: Readonly<Record<string, MountPropagation>> = {
  None: 'PROPAGATION_PRIVATE',
  HostToContainer: 'PROPAGATION_HOST_TO_CONTAINER',
  Bidirectional: 'PROPAGATION_BIDIRECTIONAL',
}

async function volumeMount(
  pod: Frozen<Pod>,
  container: Frozen<Container>,
  mount: Frozen<VolumeMount>,
  sources: MountSources & { readonly index: number },
): Promise<Init<Mount>> {
  const volume = sources.volumes.get(mount.name)
  if (!volume) throw new Error(`cannot find volume "${mount.name}" to mount into container "${container.name}"`)
  const readonly = Boolean(mount.readOnly) || volume.readOnly
  const containerPath = absolute(mount.mountPath)
  const subPath = subPathOf(mount, sources.env)
  const recursiveReadOnly = readonly && recursively(mount, sources.recursiveReadOnly)
  if (volume.image)
    return { containerPath, readonly: true, image: volume.image.spec, imageSubPath: subPath || volume.image.subPath }
  let { hostPath } = volume
  if (subPath) {
    hostPath = await sources.files.subPath({
      pod,
      containerName: container.name,
      volumeName: mount.name,
      volumePath: hostPath,
      subPath,
      index: sources.index,
      readOnly: readonly,
    })
  } else if (volume.createMissing) {
    await sources.files.ensureFolder(hostPath)
  }
  const propagation = propagations[mount.mountPropagation ?? 'None'] ?? 'PROPAGATION_PRIVATE'
  return { containerPath, hostPath, readonly, propagation, ...(recursiveReadOnly && { recursiveReadOnly }) }
}

/** The mount's subPath or its expanded expression; never absolute, never upwards. */
function subPathOf(mount: Frozen<VolumeMount>, env: Readonly<Record<string, string>>): string {
  let path = mount.subPath ?? ''
  if (mount.subPathExpr) {
    let missing = false
    path = expand(mount.subPathExpr, (name) => {
      if (env[name] === undefined) missing = true
      return env[name]
    })
    if (missing) throw new Error(`missing value for ${JSON.stringify(mount.subPathExpr)}`)
  }
  if (path === '') return ''
  if (isAbsolute(path)) throw new Error(`error SubPath \`${path}\` must not be an absolute path`)
  if (path.split('/').includes('..')) throw new Error(`unable to provision SubPath \`${path}\`: must not contain '..'`)
  return path
}

function recursively(mount: Frozen<VolumeMount>, supported: boolean): boolean {
  switch (mount.recursiveReadOnly) {
    case 'Enabled':
      if (!supported)
        throw new Error(`rro could not be enabled for volume "${mount.name}": not supported by the runtime`)
      return true
    case 'IfPossible':
      return supported
    default:
      return false
  }
}
