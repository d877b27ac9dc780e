import type { Container, EphemeralContainer, Pod, Volume } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'

/** What of its namespace a pod needs, as 'secret/NAME', 'configmap/NAME', 'pvc/NAME', 'serviceaccount/NAME', 'resourceclaim/NAME'. */
export function podReferences(pod: Frozen<Pod>): Set<string> {
  const references = new Set<string>()
  const add = (kind: string, name: string | undefined) => {
    if (name) references.add(`${kind}/${name}`)
  }
  const { spec, status } = pod
  // Mirror pods need nothing: their node runs them without asking.
  if (!spec || pod.metadata?.annotations?.['kubernetes.io/config.mirror'] !== undefined) return references
  add('serviceaccount', spec.serviceAccountName)
  for (const { name } of spec.imagePullSecrets ?? []) add('secret', name)
  for (const container of [
    ...(spec.containers ?? []),
    ...(spec.initContainers ?? []),
    ...(spec.ephemeralContainers ?? []),
  ])
    containerReferences(container, add)
  for (const volume of spec.volumes ?? []) volumeReferences(volume, pod.metadata?.name ?? '', add)
  for (const { resourceClaimName } of spec.resourceClaims ?? []) add('resourceclaim', resourceClaimName)
  for (const { resourceClaimName } of status?.resourceClaimStatuses ?? []) add('resourceclaim', resourceClaimName)
  return references
}

type Add = (kind: string, name: string | undefined) => void

function containerReferences({ env, envFrom }: Frozen<Container> | Frozen<EphemeralContainer>, add: Add): void {
  for (const { valueFrom } of env ?? []) {
    add('secret', valueFrom?.secretKeyRef?.name)
    add('configmap', valueFrom?.configMapKeyRef?.name)
  }
  for (const { secretRef, configMapRef } of envFrom ?? []) {
    add('secret', secretRef?.name)
    add('configmap', configMapRef?.name)
  }
}

function volumeReferences(volume: Frozen<Volume>, podName: string, add: Add): void {
  add('secret', volume.secret?.secretName)
  add('configmap', volume.configMap?.name)
  add('pvc', volume.persistentVolumeClaim?.claimName)
  if (volume.ephemeral) add('pvc', `${podName}-${volume.name}`)
  for (const { secret, configMap } of volume.projected?.sources ?? []) {
    add('secret', secret?.name)
    add('configmap', configMap?.name)
  }
  add('secret', volume.azureFile?.secretName)
  for (const source of [volume.cephfs, volume.flexVolume, volume.iscsi, volume.rbd, volume.scaleIO, volume.storageos])
    add('secret', source?.secretRef?.name)
  add('secret', volume.csi?.nodePublishSecretRef?.name)
}
