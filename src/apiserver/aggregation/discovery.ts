import type { GroupDiscovery } from '../../api/discovery/documents.ts'
import type { APIResource, APIResourceList } from '../../api/generated/types/meta-v1.ts'

/** The form of discovery that tells all of a server's groups at once, and the one that is asked for when a server does not know it. */
export const discoveryAccept = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json'

/** A version's resources in the aggregated form. */
export type VersionDiscovery = GroupDiscovery['versions'][number]

/** What another server says of one of its versions: from its aggregated document, or from the list of the version's resources. */
export function versionFrom(document: unknown, group: string, version: string): VersionDiscovery | undefined {
  const { kind, items } = document as { kind?: string; items?: readonly GroupDiscovery[] }
  if (kind === 'APIGroupDiscoveryList') {
    const found = items
      ?.find(({ metadata }) => metadata.name === group)
      ?.versions.find((each) => each.version === version)
    return found && { ...found, freshness: 'Current' }
  }
  return kind === 'APIResourceList' ? fromList(document as APIResourceList, group, version) : undefined
}

function fromList({ resources }: APIResourceList, group: string, version: string): VersionDiscovery {
  const kindOf = (resource: APIResource) => ({
    group: resource.group || group,
    version: resource.version || version,
    kind: resource.kind,
  })
  const own = resources.filter(({ name }) => !name.includes('/'))
  return {
    version,
    freshness: 'Current',
    resources: own.map((resource) => {
      const below = resources.filter(({ name }) => name.startsWith(`${resource.name}/`))
      return {
        resource: resource.name,
        responseKind: kindOf(resource),
        scope: resource.namespaced ? 'Namespaced' : 'Cluster',
        singularResource: resource.singularName,
        verbs: resource.verbs,
        ...(resource.shortNames?.length && { shortNames: resource.shortNames }),
        ...(resource.categories?.length && { categories: resource.categories }),
        ...(below.length && {
          subresources: below.map((each) => ({
            subresource: each.name.slice(resource.name.length + 1),
            responseKind: kindOf(each),
            verbs: each.verbs,
          })),
        }),
      }
    }),
  }
}
