import type { Resource } from '../api/resource.ts'
import { isNotFound } from '../api/errors/api-error.ts'
import type { Client } from './client.ts'

/** A resource that the server serves now, with its verbs. */
export interface DiscoveredResource extends Resource {
  readonly verbs: readonly string[]
  /** Of the versions that it is served in the one that the server prefers. */
  readonly preferred: boolean
}

/** What a server serves, as far as it could be found out. */
export interface Discovery {
  readonly resources: readonly DiscoveredResource[]
  /** 'metrics.k8s.io/v1beta1': versions whose servers (aggregated ones) did not answer. */
  readonly failed: readonly { readonly groupVersion: string; readonly error: unknown }[]
}

const aggregated = 'application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json'

interface GroupDiscoveryList {
  kind?: string
  items?: {
    metadata?: { name?: string }
    versions?: {
      version: string
      freshness?: string
      resources?: { resource: string; scope: string; verbs: string[]; responseKind?: { kind: string } }[]
    }[]
  }[]
}

interface ResourceList {
  resources?: { name: string; kind: string; namespaced: boolean; verbs: string[] }[]
}

/** Asks which resources there are: built-in ones, custom ones and those of aggregated servers. */
export async function discover(client: Client, signal?: AbortSignal): Promise<Discovery> {
  const answers = await Promise.all(
    ['/api', '/apis'].map((path) =>
      client.send<GroupDiscoveryList>({ method: 'GET', path, accept: aggregated }, signal),
    ),
  )
  if (answers.every(({ kind }) => kind === 'APIGroupDiscoveryList')) return fromAggregated(answers)
  return oneByOne(client, answers[1] as { groups?: GroupAnswer[] }, signal)
}

function fromAggregated(answers: readonly GroupDiscoveryList[]): Discovery {
  const resources: DiscoveredResource[] = []
  const failed: { groupVersion: string; error: unknown }[] = []
  for (const group of answers.flatMap(({ items = [] }) => items)) {
    const name = group.metadata?.name ?? ''
    const seen = new Set<string>()
    for (const version of group.versions ?? []) {
      const groupVersion = name ? `${name}/${version.version}` : version.version
      if (version.freshness === 'Stale')
        failed.push({ groupVersion, error: new Error(`stale GroupVersion discovery: ${groupVersion}`) })
      for (const each of version.resources ?? []) {
        const { resource: plural, scope, verbs, responseKind } = each
        resources.push({
          group: name,
          version: version.version,
          kind: responseKind?.kind ?? '',
          plural,
          namespaced: scope === 'Namespaced',
          verbs,
          preferred: !seen.has(plural),
        })
        seen.add(plural)
      }
    }
  }
  return { resources, failed }
}

interface GroupAnswer {
  name: string
  versions: { groupVersion: string; version: string }[]
  preferredVersion?: { version: string }
}

async function oneByOne(
  client: Client,
  { groups = [] }: { groups?: GroupAnswer[] },
  signal: AbortSignal | undefined,
): Promise<Discovery> {
  const versions = groups.flatMap(({ name, versions: all, preferredVersion }) => {
    const ordered = all
      .map(({ version }) => version)
      .sort((a, b) => Number(b === preferredVersion?.version) - Number(a === preferredVersion?.version))
    return ordered.map((version) => ({ group: name, version }))
  })
  versions.unshift({ group: '', version: 'v1' })
  const failed: { groupVersion: string; error: unknown }[] = []
  const lists = await Promise.all(
    versions.map(async ({ group, version }): Promise<Omit<DiscoveredResource, 'preferred'>[]> => {
      const path = group ? `/apis/${group}/${version}` : `/api/${version}`
      try {
        const { resources = [] } = await client.send<ResourceList>({ method: 'GET', path }, signal)
        return resources
          .filter(({ name }) => !name.includes('/'))
          .map(({ name, kind, namespaced, verbs }) => ({ group, version, kind, plural: name, namespaced, verbs }))
      } catch (error) {
        // A version that went between the two questions is simply not there.
        if (!isNotFound(error)) failed.push({ groupVersion: path.slice(path.indexOf('/', 1) + 1), error })
        return []
      }
    }),
  )
  const seen = new Set<string>()
  const resources = lists.flat().map((resource) => {
    const id = `${resource.group}/${resource.plural}`
    const preferred = !seen.has(id)
    seen.add(id)
    return { ...resource, preferred }
  })
  return { resources, failed }
}
