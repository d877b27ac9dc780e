import type { PersistentVolume, PersistentVolumeClaim } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { versionNumber } from '../../client/object.ts'
import type { SchedulerListers } from '../listers.ts'

/** What one Pod needs before it can go to its node: volumes for claims, and claims for which a volume must be made there. */
export interface VolumePlan {
  readonly bindings: readonly {
    readonly volume: Frozen<PersistentVolume>
    readonly claim: Frozen<PersistentVolumeClaim>
  }[]
  readonly provisions: readonly Frozen<PersistentVolumeClaim>[]
}

/** Where the scheduler says for which node a volume is to be made. */
export const selectedNodeAnnotation = 'volume.kubernetes.io/selected-node'

/**
 * Decisions about volumes that the API does not show yet, so that the next Pod is not promised the same volume. An assumption holds until the API shows a
 * newer object than the one it was made from, or is taken back.
 */
export class VolumeDecisions {
  readonly #listers: SchedulerListers
  /** By volume name: the version it was made from, and the claim that gets it. */
  readonly #volumes = new Map<string, { readonly version: bigint; readonly volume: Frozen<PersistentVolume> }>()
  readonly #claims = new Map<string, { readonly version: bigint; readonly claim: Frozen<PersistentVolumeClaim> }>()
  /** By Pod key, from reserve to the end of binding. */
  readonly #plans = new Map<string, VolumePlan>()

  constructor(listers: SchedulerListers) {
    this.#listers = listers
  }

  /** A volume as it is or is about to be. */
  volume(name: string): Frozen<PersistentVolume> | undefined {
    const known = this.#listers.persistentVolumes.get({ name })
    const assumed = this.#volumes.get(name)
    if (!assumed) return known
    if (known && versionNumber(known.metadata.resourceVersion ?? '0') <= assumed.version) return assumed.volume
    this.#volumes.delete(name)
    return known
  }

  /** All volumes as they are or are about to be. */
  volumes(): readonly Frozen<PersistentVolume>[] {
    const all = this.#listers.persistentVolumes.list()
    return this.#volumes.size === 0 ? all : all.flatMap(({ metadata }) => this.volume(metadata.name ?? '') ?? [])
  }

  /** A claim as it is or is about to be. */
  claim(object: Frozen<PersistentVolumeClaim>): Frozen<PersistentVolumeClaim> {
    const key = keyOf(object)
    const assumed = this.#claims.get(key)
    if (!assumed) return object
    if (versionNumber(object.metadata.resourceVersion ?? '0') <= assumed.version) return assumed.claim
    this.#claims.delete(key)
    return object
  }

  /** Assumes that a Pod's plan is carried out for a node. */
  assume(pod: string, plan: VolumePlan, node: string): void {
    this.#plans.set(pod, plan)
    for (const { volume, claim } of plan.bindings) {
      const { namespace, name, uid } = claim.metadata
      const taken = {
        ...volume,
        spec: { ...volume.spec, claimRef: { kind: 'PersistentVolumeClaim', apiVersion: 'v1', namespace, name, uid } },
      }
      this.#volumes.set(volume.metadata.name ?? '', {
        version: versionNumber(volume.metadata.resourceVersion ?? '0'),
        volume: taken as Frozen<PersistentVolume>,
      })
    }
    for (const claim of plan.provisions) {
      const annotations = { ...claim.metadata.annotations, [selectedNodeAnnotation]: node }
      this.#claims.set(keyOf(claim), {
        version: versionNumber(claim.metadata.resourceVersion ?? '0'),
        claim: { ...claim, metadata: { ...claim.metadata, annotations } },
      })
    }
  }

  /** What was assumed for a Pod. */
  plan(pod: string): VolumePlan | undefined {
    return this.#plans.get(pod)
  }

  /** The plan was carried out: the API shows it, or will. */
  done(pod: string): void {
    this.#plans.delete(pod)
  }

  /** The plan failed: nothing of it is assumed any more. */
  takeBack(pod: string): void {
    const plan = this.#plans.get(pod)
    this.#plans.delete(pod)
    for (const { volume } of plan?.bindings ?? []) this.#volumes.delete(volume.metadata.name ?? '')
    for (const claim of plan?.provisions ?? []) this.#claims.delete(keyOf(claim))
  }
}

const keyOf = ({ metadata }: Frozen<PersistentVolumeClaim>) => `${metadata.namespace}/${metadata.name}`
