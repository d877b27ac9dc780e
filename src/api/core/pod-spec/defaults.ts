import type {
  Container,
  EphemeralContainer,
  Lifecycle,
  PodSpec,
  PodTemplateSpec,
  Probe,
  Volume,
} from '../../generated/types/core-v1.ts'
import type { ObjectMeta } from '../../generated/types/meta-v1.ts'
import { ensure } from '../../draft.ts'
import { roundAmounts } from '../../validation/quantities.ts'
import { defaultClaimSpec } from '../persistentvolumeclaim-spec.ts'

/** What every pod spec gets, in Pods and in templates. */
export function defaultPodSpec(spec: PodSpec): void {
  spec.dnsPolicy ||= 'ClusterFirst'
  spec.restartPolicy ||= 'Always'
  spec.securityContext ??= {}
  spec.terminationGracePeriodSeconds ??= 30
  spec.schedulerName ||= 'default-scheduler'
  // One account, two names: the old one follows, or leads where it is alone.
  if (spec.serviceAccountName) spec.serviceAccount = spec.serviceAccountName
  else if (spec.serviceAccount) spec.serviceAccountName = spec.serviceAccount
  for (const container of spec.initContainers ?? []) defaultContainer(container)
  for (const container of spec.containers ?? []) defaultContainer(container)
  for (const container of spec.ephemeralContainers ?? []) defaultContainer(container)
  for (const volume of spec.volumes ?? []) defaultVolume(volume)
  roundAmounts(spec.overhead)
  roundAmounts(spec.resources?.limits)
  roundAmounts(spec.resources?.requests)
}

/** A template of Pods. */
export function defaultPodTemplate(template: PodTemplateSpec): void {
  dropInitAnnotations(ensure(template, 'metadata'))
  defaultPodSpec(ensure(template, 'spec'))
}

/** Annotations that once stood for init containers. */
const initAnnotations = ['init-containers', 'init-container-statuses'].flatMap((name) => [
  `pod.alpha.kubernetes.io/${name}`,
  `pod.beta.kubernetes.io/${name}`,
])

/** Removes them: nobody reads them any more, and upstream drops them, too. */
export function dropInitAnnotations(metadata: ObjectMeta): void {
  const { annotations } = metadata
  if (!annotations) return
  for (const name of initAnnotations) delete annotations[name]
  if (Object.keys(annotations).length === 0) delete metadata.annotations
}

/** The tag of an image; 'latest' when it has neither tag nor digest. */
export function imageTag(image: string): string {
  const [reference = '', digest] = image.split('@')
  const name = reference.slice(reference.lastIndexOf('/') + 1)
  const colon = name.lastIndexOf(':')
  if (colon >= 0) return name.slice(colon + 1)
  return digest === undefined ? 'latest' : ''
}

/** Images that may change under their name are always pulled. What cannot be parsed counts as fixed. */
function pullPolicyOf(image: string): string {
  return imageTag(image) === 'latest' && isImageName(image) ? 'Always' : 'IfNotPresent'
}

const domain =
  '(?:(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*|\\[(?:[a-fA-F0-9:]+)\\])(?::[0-9]+)?'
const part = '[a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)*'
const imageName = new RegExp(
  `^(?:${domain}/)?${part}(?:/${part})*(?::[\\w][\\w.-]{0,127})?(?:@[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,})?$`,
)
const isImageName = (image: string) => imageName.test(image)

function defaultContainer(container: Container | EphemeralContainer): void {
  container.imagePullPolicy ||= pullPolicyOf(container.image ?? '')
  container.terminationMessagePath ||= '/dev/termination-log'
  container.terminationMessagePolicy ||= 'File'
  const { resources, env, ports, livenessProbe, readinessProbe, startupProbe, lifecycle } = container
  if (ports) for (const port of ports) port.protocol ||= 'TCP'
  if (env) {
    for (const { valueFrom } of env) if (valueFrom?.fieldRef) valueFrom.fieldRef.apiVersion ||= 'v1'
    for (const { valueFrom } of env) if (valueFrom?.fileKeyRef) valueFrom.fileKeyRef.optional ??= false
  }
  if (livenessProbe) defaultProbe(livenessProbe)
  if (readinessProbe) defaultProbe(readinessProbe)
  if (startupProbe) defaultProbe(startupProbe)
  if (lifecycle) defaultLifecycle(lifecycle)
  if (!resources) ensure(container, 'resources')
  else {
    roundAmounts(resources.limits)
    roundAmounts(resources.requests)
  }
}

function defaultProbe(probe: Probe): void {
  probe.timeoutSeconds ||= 1
  probe.periodSeconds ||= 10
  probe.successThreshold ||= 1
  probe.failureThreshold ||= 3
  defaultHandler(probe)
  if (probe.grpc) probe.grpc.service ??= ''
}

function defaultLifecycle({ postStart, preStop }: Lifecycle): void {
  if (postStart) defaultHandler(postStart)
  if (preStop) defaultHandler(preStop)
}

function defaultHandler({ httpGet }: Pick<Probe, 'httpGet'>): void {
  if (!httpGet) return
  httpGet.path ||= '/'
  httpGet.scheme ||= 'HTTP'
}

const defaultFileMode = 0o644

function defaultVolume(volume: Volume): void {
  const { secret, configMap, downwardAPI, projected, hostPath, iscsi, rbd, azureDisk, scaleIO, ephemeral, image } =
    volume
  if (!Object.entries(volume).some(([name, value]) => name !== 'name' && value !== undefined && value !== null))
    volume.emptyDir = {}
  if (secret) secret.defaultMode ??= defaultFileMode
  if (configMap) configMap.defaultMode ??= defaultFileMode
  if (downwardAPI) {
    downwardAPI.defaultMode ??= defaultFileMode
    for (const { fieldRef } of downwardAPI.items ?? []) if (fieldRef) fieldRef.apiVersion ||= 'v1'
  }
  if (projected) {
    projected.defaultMode ??= defaultFileMode
    for (const source of projected.sources ?? []) {
      for (const { fieldRef } of source.downwardAPI?.items ?? []) if (fieldRef) fieldRef.apiVersion ||= 'v1'
      if (source.serviceAccountToken) source.serviceAccountToken.expirationSeconds ??= 3600
    }
  }
  if (hostPath) hostPath.type ??= ''
  if (iscsi) iscsi.iscsiInterface ||= 'default'
  if (rbd) defaultRbd(rbd)
  if (azureDisk) defaultAzureDisk(azureDisk)
  if (scaleIO) defaultScaleIo(scaleIO)
  if (image) image.pullPolicy ||= pullPolicyOf(image.reference ?? '')
  if (ephemeral?.volumeClaimTemplate) {
    const spec = ensure(ephemeral.volumeClaimTemplate, 'spec')
    defaultClaimSpec(spec)
    roundAmounts(spec.resources?.limits)
    roundAmounts(spec.resources?.requests)
  }
}

/** RBD volumes of Pods and PersistentVolumes. */
export function defaultRbd(source: { pool?: string; user?: string; keyring?: string }): void {
  source.pool ||= 'rbd'
  source.user ||= 'admin'
  source.keyring ||= '/etc/ceph/keyring'
}

/** Azure disks of Pods and PersistentVolumes. */
export function defaultAzureDisk(source: {
  cachingMode?: string
  kind?: string
  fsType?: string
  readOnly?: boolean
}): void {
  source.cachingMode ??= 'ReadWrite'
  source.kind ??= 'Shared'
  source.fsType ??= 'ext4'
  source.readOnly ??= false
}

/** ScaleIO volumes of Pods and PersistentVolumes. */
export function defaultScaleIo(source: { storageMode?: string; fsType?: string }): void {
  source.storageMode ||= 'ThinProvisioned'
  source.fsType ||= 'xfs'
}
