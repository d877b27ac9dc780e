import type { Pod, Volume } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { Deps } from '../../base/deps.ts'
import type { Client } from '../../client/client.ts'
import type { Allocatable } from '../container/resource-field.ts'
import type { Init } from '../../runtime/cri/codec.ts'
import type { ImageSpec } from '../../runtime/cri/generated/cri.ts'
import type { ObjectReader } from '../sources/object-reader.ts'

/** What volumes are made with. */
export interface VolumeOptions extends Deps {
  readonly client: Client
  readonly objects: ObjectReader
  readonly facts: () => { readonly hostIps: readonly string[]; readonly allocatable: Allocatable }
  /** The pod's addresses as far as they are known. */
  readonly podIps: (uid: string) => readonly string[]
  /** An image as a volume: pulled, and named for the runtime. */
  readonly image: (pod: Frozen<Pod>, volume: Frozen<Volume>) => Promise<MountedVolume>
}

/** A volume that is ready for containers: what they find at a path of theirs. */
export interface MountedVolume {
  readonly hostPath: string
  /** An image instead of a folder. */
  readonly image?: { readonly spec: Init<ImageSpec>; readonly subPath: string }
  /** It cannot be written, whatever the mount says. */
  readonly readOnly: boolean
  /** A missing folder is made when a container mounts it (a hostPath without a type). */
  readonly createMissing?: boolean
}

/** The pods' volumes on a node. */
export interface PodVolumes {
  /** Makes the volumes that the pod's containers mount, and brings what changes (configuration, tokens) up to date. Rejects with what a FailedMount event says. */
  mount(pod: Frozen<Pod>): Promise<void>
  /** What is mounted for the pod, by volume name. */
  mounted(uid: string): ReadonlyMap<string, MountedVolume>
  /** Takes everything down; what a pod leaves on its node is removed. Idempotent. */
  unmount(uid: string): Promise<void>
  /** PersistentVolumes in use, as status.volumesInUse names them. */
  inUse(): readonly string[]
}
