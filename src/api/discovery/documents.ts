import { createHash } from 'node:crypto'
import type { APIGroup, APIGroupList, APIResource, APIResourceList, APIVersions } from '../generated/types/meta-v1.ts'
import type { Kind, Subresource } from '../kind.ts'
import { apiVersionOf } from '../resource.ts'
import type { KindTable, ServedGroup } from '../table.ts'

/*
 * The discovery documents, made from the table of kinds: the ones by group and version that every client knows, and the aggregated form that recent ones ask for.
 * `table.revision` tells when they must be made anew.
 */

/** The media type of aggregated discovery, as the Accept and Content-Type headers have it. */
export const aggregatedDiscoveryType = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList'

/** GET /api */
export const apiVersions = (serverAddress: string): APIVersions => ({
  kind: 'APIVersions',
  versions: ['v1'],
  serverAddressByClientCIDRs: [{ clientCIDR: '0.0.0.0/0', serverAddress }],
})

/** GET /apis. `extra` are groups that extension servers answer for. */
export const apiGroupList = (table: KindTable, extra: readonly ServedGroup[] = []): APIGroupList => ({
  kind: 'APIGroupList',
  apiVersion: 'v1',
  groups: [...table.groups(), ...extra].filter(({ name }) => name !== '').map(groupOf),
})

/** GET /apis/GROUP; undefined when there is no such group. */
export function apiGroup(table: KindTable, name: string): APIGroup | undefined {
  const group = table.group(name)
  return group && { kind: 'APIGroup', apiVersion: 'v1', ...groupOf(group) }
}

function groupOf({ name, versions }: ServedGroup): APIGroup {
  const listed = versions.map((version) => ({ groupVersion: `${name}/${version}`, version }))
  return { name, versions: listed, preferredVersion: listed[0]! }
}

/** GET /api/v1, /apis/GROUP/VERSION; undefined when it is not served. */
export function apiResourceList(table: KindTable, group: string, version: string): APIResourceList | undefined {
  if (!table.group(group)?.versions.includes(version)) return undefined
  // The core group's list has no apiVersion: so it was before there were groups.
  return {
    kind: 'APIResourceList',
    ...(group && { apiVersion: 'v1' as const }),
    groupVersion: apiVersionOf({ group, version }),
    resources: table.kindsOf(group, version).flatMap(resourcesOf),
  }
}

function resourcesOf(kind: Kind): APIResource[] {
  const { resource } = kind
  const own: APIResource = {
    name: resource.plural,
    singularName: kind.singular,
    namespaced: resource.namespaced,
    kind: resource.kind,
    verbs: [...kind.verbs],
    ...(kind.shortNames.length > 0 && { shortNames: [...kind.shortNames] }),
    ...(kind.categories.length > 0 && { categories: [...kind.categories] }),
    ...(isStored(kind) && { storageVersionHash: storageVersionHash(kind) }),
  }
  return [own, ...kind.subresources.map((subresource) => subresourceOf(kind, subresource))]
}

function subresourceOf({ resource }: Kind, { name, verbs, responseKind }: Subresource): APIResource {
  const foreign = responseKind.group !== resource.group || responseKind.version !== resource.version
  return {
    name: `${resource.plural}/${name}`,
    singularName: '',
    namespaced: resource.namespaced,
    ...(foreign && { group: responseKind.group, version: responseKind.version }),
    kind: responseKind.kind,
    verbs: [...verbs],
  }
}

/** Reviews and other kinds that nothing is kept of cannot be watched. */
const isStored = (kind: Kind): boolean => kind.verbs.includes('watch')

/** Tells clients whether objects are still stored under the same group, version and kind. */
function storageVersionHash(kind: Kind): string {
  const { group, version, kind: name } = (kind.storedAs?.kind() ?? kind).resource
  return createHash('sha256').update(`${group}/${version}/${name}`).digest().subarray(0, 8).toString('base64')
}

// ---------------------------------------------------------------- aggregated

/** One group of the aggregated document. */
export interface GroupDiscovery {
  readonly metadata: { readonly name?: string; readonly creationTimestamp?: null }
  readonly versions: readonly VersionDiscovery[]
}

interface VersionDiscovery {
  readonly version: string
  readonly resources: readonly object[]
  readonly freshness: 'Current' | 'Stale'
}

/** The aggregated form of /api (`core`) or of /apis; `extra` are groups of extension servers. */
export function aggregatedDiscovery(table: KindTable, core: boolean, extra: readonly GroupDiscovery[] = []): object {
  const groups = table.groups().filter(({ name }) => (name === '') === core)
  const items = groups.map(({ name, versions }): GroupDiscovery => ({
    metadata: name ? { name } : {},
    versions: versions.map((version) => ({
      version,
      resources: table.kindsOf(name, version).map(resourceDiscovery),
      freshness: 'Current',
    })),
  }))
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: [...items, ...(core ? [] : extra)],
  }
}

function resourceDiscovery(kind: Kind): object {
  return {
    resource: kind.resource.plural,
    responseKind: responseKindOf(kind, kind.resource),
    scope: kind.resource.namespaced ? 'Namespaced' : 'Cluster',
    singularResource: kind.singular,
    verbs: kind.verbs,
    ...(kind.shortNames.length > 0 && { shortNames: kind.shortNames }),
    ...(kind.categories.length > 0 && { categories: kind.categories }),
    ...(kind.subresources.length > 0 && {
      subresources: kind.subresources.map(({ name, responseKind, verbs }) => ({
        subresource: name,
        responseKind: responseKindOf(kind, responseKind),
        verbs,
      })),
    }),
  }
}

/** Built-in kinds leave out a group and version that are the surrounding ones; custom kinds write them. */
function responseKindOf(
  { resource, custom }: Kind,
  { group, version, kind }: { group: string; version: string; kind: string },
): object {
  return custom || group !== resource.group || version !== resource.version
    ? { group, version, kind }
    : { group: '', version: '', kind }
}
