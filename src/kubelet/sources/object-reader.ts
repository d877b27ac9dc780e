import type { ConfigMap, Secret, Service } from '../../api/generated/types/core-v1.ts'
import type { Frozen, ObjectKey } from '../../api/resource.ts'

/** The objects that pods refer to. A missing one rejects with the API's NotFound. */
export interface ObjectReader {
  configMap(key: ObjectKey): Promise<Frozen<ConfigMap>>
  secret(key: ObjectKey): Promise<Frozen<Secret>>
  /** Every service of the cluster. */
  services(): Promise<readonly Frozen<Service>[]>
}
