import type { ObjectKey, Resource } from '../api/resource.ts'

/** '/api/v1' or '/apis/apps/v1'. */
export const groupVersionPath = (resource: Pick<Resource, 'group' | 'version'>): string =>
  resource.group ? `/apis/${resource.group}/${resource.version}` : `/api/${resource.version}`

/** Where a resource's objects are listed and created: of one namespace, or of the whole cluster. */
export function collectionPath(resource: Resource, namespace?: string): string {
  const scope = resource.namespaced && namespace ? `/namespaces/${encodeURIComponent(namespace)}` : ''
  return `${groupVersionPath(resource)}${scope}/${resource.plural}`
}

/** Where an object is, or one of its subresources ('a/b' reaches into one: a proxy's path). */
export function itemPath(resource: Resource, key: ObjectKey, subresource?: string): string {
  if (key.name === '') throw new Error(`a ${resource.kind} is addressed without a name`)
  const rest = subresource ? `/${subresource}` : ''
  return `${collectionPath(resource, key.namespace)}/${encodeURIComponent(key.name)}${rest}`
}
