import type { RequestContext } from '../kind.ts'
import type { DeviceRequest, DeviceRequestAllocationResult, ResourceClaim } from '../generated/types/resource-v1.ts'
import type { Frozen } from '../resource.ts'
import { field, type FieldErrors, type FieldPath } from '../validation/field.ts'

const label = 'resource.kubernetes.io/admin-access'

type InNamespace = Pick<RequestContext, 'namespaceLabels'>

/** Devices that are in use already can be asked for only in namespaces that are labelled for it. Templates tell of it at the path of a claim, as upstream does. */
export function checkAdminRequests(
  requests: Frozen<DeviceRequest[]> | undefined,
  namespace: string,
  errors: FieldErrors,
  context: InNamespace,
): void {
  const at = requests?.findIndex(({ exactly }) => exactly?.adminAccess === true) ?? -1
  if (at >= 0)
    checkNamespace(namespace, field('spec', 'devices', 'requests').index(at).child('adminAccess'), errors, context)
}

/** The same for what was allocated; what was before stays allowed. */
export function checkAdminResults(
  claim: Frozen<ResourceClaim>,
  old: Frozen<ResourceClaim>,
  errors: FieldErrors,
  context: InNamespace,
): void {
  if (firstOf(old.status?.allocation?.devices?.results) >= 0) return
  const at = firstOf(claim.status?.allocation?.devices?.results)
  if (at >= 0)
    checkNamespace(
      claim.metadata.namespace ?? '',
      field('status', 'allocation', 'devices', 'results').index(at).child('adminAccess'),
      errors,
      context,
    )
}

const firstOf = (results: Frozen<DeviceRequestAllocationResult[]> | undefined): number =>
  results?.findIndex(({ adminAccess }) => adminAccess === true) ?? -1

function checkNamespace(namespace: string, at: FieldPath, errors: FieldErrors, { namespaceLabels }: InNamespace): void {
  if (namespaceLabels(namespace)?.[label] !== 'true')
    errors.forbidden(at, `admin access to devices requires the \`${label}: true\` label on the containing namespace`)
}
