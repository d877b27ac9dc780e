import type { Kind } from '../kind.ts'
import { differenceWithin, setOf } from './field-set.ts'
import type { FieldFilter } from './settle.ts'

const filters = new Map<string, FieldFilter | undefined>()

/**
 * What a client of an endpoint cannot own, because the server takes it from the stored object: the status on the object itself, everything else on its status.
 * Undefined when the endpoint keeps everything.
 */
export function resetFieldsOf(kind: Kind, subresource: string): FieldFilter | undefined {
  const { group, version, kind: name } = kind.resource
  const id = `${group}/${version}/${name}/${subresource}/${kind.behaviour.status === true}`
  if (!filters.has(id)) filters.set(id, filterFor(kind, subresource))
  return filters.get(id)
}

function filterFor(kind: Kind, subresource: string): FieldFilter | undefined {
  const paths = resetPaths(kind, subresource)
  if (paths.length === 0) return undefined
  const reset = setOf(...paths.map((path) => path.split('.').map((name) => `f:${name}`)))
  return (fields) => differenceWithin(fields, reset)
}

function resetPaths(kind: Kind, subresource: string): readonly string[] {
  const { group, plural } = kind.resource
  const special = kind.custom ? undefined : specials[`${plural}${group ? `.${group}` : ''}/${subresource}`]
  if (special) return special
  if (subresource === '') return kind.behaviour.status ? ['status'] : []
  return subresource === 'status' ? ['spec'] : []
}

const metadataToo = ['metadata', 'spec']

/** Endpoints that reset other fields than the rest, as upstream's strategies say. */
const specials: Readonly<Record<string, readonly string[]>> = {
  'certificatesigningrequests.certificates.k8s.io/': ['spec', 'status'],
  'certificatesigningrequests.certificates.k8s.io/status': ['spec', 'status.conditions'],
  'certificatesigningrequests.certificates.k8s.io/approval': ['spec', 'status.certificate'],
  'servicecidrs.networking.k8s.io/': [],
  'servicecidrs.networking.k8s.io/status': [],
  'namespaces/finalize': ['status'],
  'pods/status': ['spec', 'metadata.deletionTimestamp', 'metadata.ownerReferences'],
  'deployments.apps/status': ['spec', 'metadata.labels'],
  'storageversionmigrations.storagemigration.k8s.io/status': metadataToo,
  'storageversions.internal.apiserver.k8s.io/status': metadataToo,
  'resourceclaims.resource.k8s.io/status': metadataToo,
  'devicetaintrules.resource.k8s.io/status': metadataToo,
  'volumeattachments.storage.k8s.io/status': metadataToo,
  'flowschemas.flowcontrol.apiserver.k8s.io/status': metadataToo,
  'prioritylevelconfigurations.flowcontrol.apiserver.k8s.io/status': metadataToo,
  'validatingadmissionpolicies.admissionregistration.k8s.io/status': metadataToo,
  'customresourcedefinitions.apiextensions.k8s.io/status': metadataToo,
  'apiservices.apiregistration.k8s.io/status': metadataToo,
}
