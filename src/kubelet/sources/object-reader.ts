import type { ConfigMap, Pod, Secret, Service } from '../../api/generated/types/core-v1.ts'
import type { Frozen, ObjectKey } from '../../api/resource.ts'

/** The objects that pods refer to. A missing one rejects with the API's NotFound. */
export interface ObjectReader {
  configMap(key: ObjectKey): Promise<Frozen<ConfigMap>>
  secret(key: ObjectKey): Promise<Frozen<Secret>>
  /** Every service of the cluster. */
  services(): Promise<readonly Frozen<Service>[]>
}

/** A reader that is told whom it reads for, so that it can watch what pods need and no more. */
export interface PodObjects extends ObjectReader {
  /** The pod's references from now on. */
  register(pod: Frozen<Pod>): void
  /** The pod is gone. */
  unregister(uid: string): void
  close(): Promise<void>
}
