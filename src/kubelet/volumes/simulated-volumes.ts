import type { Pod, Volume } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { allContainers } from '../pod/containers.ts'
import { boundClaim, claimName } from './claims.ts'
import { MountFailure } from './mount-failure.ts'
import type { MountedVolume, PodVolumes, VolumeOptions } from './pod-volumes.ts'

/** Volumes without files: what a volume needs must be there, and that is all. */
export class SimulatedVolumes implements PodVolumes {
  readonly #options: VolumeOptions
  readonly #mounted = new Map<string, ReadonlyMap<string, MountedVolume>>()

  constructor(options: VolumeOptions) {
    this.#options = options
  }

  async mount(pod: Frozen<Pod>): Promise<void> {
    const uid = pod.metadata.uid ?? ''
    if (this.#mounted.has(uid)) return
    const wanted = new Set(
      allContainers(pod).flatMap(({ volumeMounts }) => (volumeMounts ?? []).map(({ name }) => name)),
    )
    const volumes = (pod.spec?.volumes ?? []).filter(({ name }) => wanted.has(name))
    const failures: string[] = []
    for (const volume of volumes) {
      await this.#check(pod, volume).catch((error: Error) =>
        failures.push(`MountVolume.SetUp failed for volume "${volume.name}" : ${error.message}`),
      )
    }
    if (failures.length > 0) throw new MountFailure(failures.sort())
    this.#mounted.set(
      uid,
      new Map(volumes.map(({ name }) => [name, { hostPath: `/simulated/${name}`, readOnly: false }])),
    )
  }

  mounted(uid: string): ReadonlyMap<string, MountedVolume> {
    return this.#mounted.get(uid) ?? new Map()
  }

  async unmount(uid: string): Promise<void> {
    this.#mounted.delete(uid)
  }

  inUse(): readonly string[] {
    return []
  }

  async #check(pod: Frozen<Pod>, volume: Frozen<Volume>): Promise<void> {
    const { objects, client } = this.#options
    const namespace = pod.metadata.namespace
    const sources = [volume, ...(volume.projected?.sources ?? [])]
    for (const source of sources) {
      if (source.configMap && !source.configMap.optional)
        await objects.configMap({ namespace, name: source.configMap.name ?? '' })
      const secret =
        source.secret &&
        ('secretName' in source.secret
          ? source.secret.secretName
          : 'name' in source.secret
            ? source.secret.name
            : undefined)
      if (source.secret && !source.secret.optional) await objects.secret({ namespace, name: String(secret ?? '') })
    }
    const claim = claimName(pod, volume)
    if (claim) await boundClaim(client, pod, claim)
  }
}
