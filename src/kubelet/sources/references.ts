import type { Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { allContainers } from '../pod/containers.ts'

/** An object of the pod's namespace that it refers to. */
export interface Reference {
  readonly kind: 'ConfigMap' | 'Secret'
  readonly name: string
}

/** Every config map and secret that the pod needs on its node: in variables, volumes and for pulling images. */
export function referredObjects(pod: Frozen<Pod>): Reference[] {
  const found = new Map<string, Reference>()
  const add = (kind: Reference['kind'], name: string | undefined) => {
    if (name) found.set(`${kind}/${name}`, { kind, name })
  }
  for (const { name } of pod.spec?.imagePullSecrets ?? []) add('Secret', name)
  for (const container of allContainers(pod)) {
    for (const { configMapRef, secretRef } of container.envFrom ?? []) {
      add('ConfigMap', configMapRef?.name)
      add('Secret', secretRef?.name)
    }
    for (const { valueFrom } of container.env ?? []) {
      add('ConfigMap', valueFrom?.configMapKeyRef?.name)
      add('Secret', valueFrom?.secretKeyRef?.name)
    }
  }
  for (const { configMap, secret, projected } of pod.spec?.volumes ?? []) {
    add('ConfigMap', configMap?.name)
    add('Secret', secret?.secretName)
    for (const source of projected?.sources ?? []) {
      add('ConfigMap', source.configMap?.name)
      add('Secret', source.secret?.name)
    }
  }
  return [...found.values()]
}
