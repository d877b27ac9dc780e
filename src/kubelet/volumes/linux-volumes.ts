import { mkdir, readdir, rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import type { EmptyDirVolumeSource, Pod, Volume } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { Allocatable } from '../container/resource-field.ts'
import { isMountPoint, mount, mountPoints, unmount } from '../host/linux/mount.ts'
import { unmountSubPaths } from '../host/linux/sub-path.ts'
import { wholeAmount } from '../pod/amount.ts'
import { allContainers } from '../pod/containers.ts'
import { podAmounts } from '../pod/resources.ts'
import { dataStamp, writeAtomically, type Payload } from './atomic-writer.ts'
import { boundClaim, claimName, type BoundClaim } from './claims.ts'
import { makeEmptyDir } from './empty-dir.ts'
import { ensureHostPath } from './host-path.ts'
import { MountFailure } from './mount-failure.ts'
import { giveToGroup } from './ownership.ts'
import { configMapPayload, downwardPayload, projectedPayload, secretPayload, type PayloadSources } from './payload.ts'
import type { MountedVolume, PodVolumes, VolumeOptions } from './pod-volumes.ts'
import { TokenSource } from './token-source.ts'

/** What volumes on a real machine need besides. */
export interface LinuxVolumeOptions extends VolumeOptions {
  readonly rootDir: string
}

/** Volumes on a real machine, in upstream's folders: `pods/UID/volumes/kubernetes.io~PLUGIN/NAME`. */
export class LinuxVolumes implements PodVolumes {
  readonly #options: LinuxVolumeOptions
  readonly #tokens: TokenSource
  readonly #mounted = new Map<string, Map<string, MountedVolume>>()
  readonly #inUse = new Map<string, string[]>()

  constructor(options: LinuxVolumeOptions) {
    this.#options = options
    this.#tokens = new TokenSource(options.client, options)
  }

  async mount(pod: Frozen<Pod>): Promise<void> {
    const uid = pod.metadata.uid ?? ''
    const wanted = new Set(
      allContainers(pod).flatMap(({ volumeMounts, volumeDevices }) =>
        [...(volumeMounts ?? []), ...(volumeDevices ?? [])].map(({ name }) => name),
      ),
    )
    const known = this.#mounted.get(uid) ?? new Map<string, MountedVolume>()
    this.#mounted.set(uid, known)
    const failures: string[] = []
    await Promise.all(
      (pod.spec?.volumes ?? [])
        .filter(({ name }) => wanted.has(name))
        .map(async (volume) => {
          try {
            known.set(volume.name, await this.#mountOne(pod, volume, known.get(volume.name)))
          } catch (error) {
            failures.push(`MountVolume.SetUp failed for volume "${volume.name}" : ${(error as Error).message}`)
          }
        }),
    )
    if (failures.length > 0) throw new MountFailure(failures.sort())
  }

  mounted(uid: string): ReadonlyMap<string, MountedVolume> {
    return this.#mounted.get(uid) ?? new Map()
  }

  async unmount(uid: string): Promise<void> {
    const folder = join(this.#options.rootDir, 'pods', uid)
    const volumes = join(folder, 'volumes')
    await unmountSubPaths(folder)
    // Deepest first: a container may have mounted something inside of its volume.
    for (const point of (await mountPoints())
      .filter((path) => path.startsWith(`${volumes}/`))
      .sort((a, b) => b.length - a.length))
      await unmount(point)
    for (const plugin of await readdir(volumes).catch(() => [])) {
      for (const name of await readdir(join(volumes, plugin))) await removeVolume(join(volumes, plugin, name), plugin)
      await rmdir(join(volumes, plugin))
    }
    this.#mounted.delete(uid)
    this.#inUse.delete(uid)
    this.#tokens.forget(uid)
  }

  inUse(): readonly string[] {
    return [...new Set([...this.#inUse.values()].flat())].sort()
  }

  async #mountOne(pod: Frozen<Pod>, volume: Frozen<Volume>, known: MountedVolume | undefined): Promise<MountedVolume> {
    const { emptyDir, hostPath, configMap, secret, downwardAPI, projected, image } = volume
    if (emptyDir) return known ?? this.#emptyDir(pod, volume.name, emptyDir)
    if (hostPath) {
      if (!known) await ensureHostPath(hostPath)
      return { hostPath: hostPath.path, readOnly: false, createMissing: !hostPath.type }
    }
    const sources = this.#sources(pod)
    if (configMap)
      return this.#files(pod, {
        name: volume.name,
        plugin: 'configmap',
        memory: false,
        payload: await configMapPayload(
          configMap.name ?? '',
          { items: configMap.items, mode: configMap.defaultMode ?? 0o644, optional: configMap.optional },
          sources,
        ),
      })
    if (secret)
      return this.#files(pod, {
        name: volume.name,
        plugin: 'secret',
        memory: true,
        payload: await secretPayload(
          secret.secretName ?? '',
          { items: secret.items, mode: secret.defaultMode ?? 0o644, optional: secret.optional },
          sources,
        ),
      })
    if (downwardAPI)
      return this.#files(pod, {
        name: volume.name,
        plugin: 'downward-api',
        memory: true,
        payload: downwardPayload(downwardAPI.items ?? [], downwardAPI.defaultMode, sources),
      })
    if (projected)
      return this.#files(pod, {
        name: volume.name,
        plugin: 'projected',
        memory: true,
        payload: await projectedPayload(projected.sources ?? [], projected.defaultMode, sources),
      })
    if (image) return this.#options.image(pod, volume)
    const claim = claimName(pod, volume)
    if (claim) return known ?? this.#claim(pod, volume, await boundClaim(this.#options.client, pod, claim))
    throw new Error(`no volume plugin matched`)
  }

  #sources(pod: Frozen<Pod>): PayloadSources {
    const { hostIps, allocatable } = this.#options.facts()
    const ips = this.#options.podIps(pod.metadata.uid ?? '')
    return {
      pod,
      objects: this.#options.objects,
      tokens: this.#tokens,
      node: { hostIps, podIps: ips },
      allocatable,
      user: commonUser(pod),
    }
  }

  async #emptyDir(pod: Frozen<Pod>, name: string, source: Frozen<EmptyDirVolumeSource>): Promise<MountedVolume> {
    const path = this.#path(pod, 'empty-dir', name)
    const medium = source.medium ?? ''
    await makeEmptyDir(path, {
      memory: medium === 'Memory',
      sizeBytes: memorySize(pod, source, this.#options.facts().allocatable),
      mode: 0o777,
      ...(medium.startsWith('HugePages') && { hugePages: medium.replace(/^HugePages-?/, '') }),
    })
    await this.#own(pod, path, false)
    return { hostPath: path, readOnly: false }
  }

  async #files(
    pod: Frozen<Pod>,
    { name, plugin, memory, payload }: { name: string; plugin: string; memory: boolean; payload: Payload },
  ): Promise<MountedVolume> {
    const path = this.#path(pod, plugin, name)
    await makeEmptyDir(path, { memory, sizeBytes: 0, mode: 0o777 })
    await writeAtomically(path, payload, (folder) => this.#own(pod, folder, true), dataStamp(this.#options.clock.now()))
    return { hostPath: path, readOnly: true }
  }

  async #claim(
    pod: Frozen<Pod>,
    { name, persistentVolumeClaim }: Frozen<Volume>,
    { volume }: BoundClaim,
  ): Promise<MountedVolume> {
    const { local, hostPath, accessModes } = volume.spec ?? {}
    const readOnly = persistentVolumeClaim?.readOnly ?? false
    const uid = pod.metadata.uid ?? ''
    const remember = (plugin: string) =>
      this.#inUse.set(uid, [...(this.#inUse.get(uid) ?? []), `kubernetes.io/${plugin}/${volume.metadata.name}`])
    if (hostPath) {
      await ensureHostPath(hostPath)
      remember('host-path')
      return { hostPath: hostPath.path, readOnly, createMissing: !hostPath.type }
    }
    if (local) {
      const path = this.#path(pod, 'local-volume', name)
      await mkdir(path, { recursive: true, mode: 0o750 })
      if (!(await isMountPoint(path))) await mount(['--bind', local.path, path])
      const single = accessModes?.every((mode) => mode === 'ReadWriteOnce' || mode === 'ReadWriteOncePod')
      if (!readOnly && single) await this.#own(pod, path, false)
      remember('local-volume')
      return { hostPath: path, readOnly }
    }
    throw new Error(`no volume plugin matched for PersistentVolume "${volume.metadata.name}"`)
  }

  async #own(pod: Frozen<Pod>, folder: string, readOnly: boolean): Promise<void> {
    const { fsGroup, fsGroupChangePolicy } = pod.spec?.securityContext ?? {}
    if (fsGroup !== undefined)
      await giveToGroup(folder, { fsGroup, readOnly, policy: readOnly ? undefined : fsGroupChangePolicy })
  }

  #path(pod: Frozen<Pod>, plugin: string, name: string): string {
    return join(this.#options.rootDir, 'pods', pod.metadata.uid ?? '', 'volumes', `kubernetes.io~${plugin}`, name)
  }
}

/** Persistent folders are only unmounted: their files are not the pod's. */
const persistentPlugins = new Set(['kubernetes.io~local-volume', 'kubernetes.io~csi'])

async function removeVolume(path: string, plugin: string): Promise<void> {
  if (await isMountPoint(path)) throw new Error(`volume ${path} is still mounted`)
  if (persistentPlugins.has(plugin)) await rmdir(path)
  else await rm(path, { recursive: true, force: true })
}

/** As much memory as the volume, the pod's limit and the node allow. */
function memorySize(pod: Frozen<Pod>, source: Frozen<EmptyDirVolumeSource>, allocatable: Allocatable): number {
  const all = [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])]
  const limited =
    pod.spec?.resources?.limits?.['memory'] !== undefined ||
    all.every(({ resources }) => resources?.limits?.['memory'] !== undefined)
  const bounds = [
    wholeAmount(source.sizeLimit),
    limited ? (podAmounts(pod, 'limits')['memory'] ?? 0) : 0,
    wholeAmount(allocatable['memory']),
  ].filter((bytes) => bytes > 0)
  return bounds.length > 0 ? Math.min(...bounds) : 0
}

/** The user of all containers, when the spec names one and the same for each. */
function commonUser(pod: Frozen<Pod>): number | undefined {
  const shared = pod.spec?.securityContext?.runAsUser
  const users = new Set(
    [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].map(
      ({ securityContext }) => securityContext?.runAsUser ?? shared,
    ),
  )
  return users.size === 1 ? [...users][0] : undefined
}
