import { ApiError, forbidden, notFound } from '../../api/errors/api-error.ts'
import { namespaces } from '../../api/generated/resources.ts'
import type { Lookup } from '../registry/registry.ts'
import type { AdmissionPlugin, Attributes } from './admission.ts'

/** Namespaces that cannot be deleted. */
const immortal: ReadonlySet<string> = new Set(['default', 'kube-system', 'kube-public'])

/** Nothing is created in a namespace that is missing or that ends, and the system's own namespaces stay. */
export function namespaceLifecycle(lookup: Lookup): AdmissionPlugin {
  return {
    name: 'NamespaceLifecycle',
    handles: (operation, kind) =>
      isNamespaces(kind) ? operation === 'DELETE' : operation === 'CREATE' && kind.resource.namespaced,
    admit(attributes) {
      if (attributes.operation === 'DELETE') return checkDeletion(attributes)
      const { namespace: name, kind } = attributes
      // Reviews are about a namespace, they are not in it.
      if (kind.resource.plural === 'localsubjectaccessreviews') return
      const namespace = lookup.get(namespaces, { name })
      if (!namespace) throw notFound(namespaces, name)
      if (namespace.status?.phase !== 'Terminating') return
      const error = forbidden(
        kind.resource,
        attributes.name || (attributes.object?.metadata.generateName ?? ''),
        `unable to create new content in namespace ${name} because it is being terminated`,
      )
      const cause = {
        reason: 'NamespaceTerminating',
        message: `namespace ${name} is being terminated`,
        field: 'metadata.namespace',
      }
      throw new ApiError({ ...error.status, details: { ...error.status.details, causes: [cause] } })
    },
  }
}

const isNamespaces = ({ resource }: Attributes['kind']): boolean =>
  resource.group === '' && resource.plural === 'namespaces'

function checkDeletion({ kind, name }: Attributes): void {
  if (immortal.has(name)) throw forbidden(kind.resource, name, 'this namespace may not be deleted')
}
