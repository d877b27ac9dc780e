import rows from './generated/kinds.json' with { type: 'json' }
import type { Column, Kind, KindBehaviour, KindDefinition, Subresource } from './kind.ts'
import type { KubernetesObject, Resource } from './resource.ts'
import { definition } from './schema/builtin.ts'
import { normalise } from './schema/decode.ts'

/** A group and its versions, the preferred one first. */
export interface ServedGroup {
  /** '' is the core group. */
  readonly name: string
  readonly versions: readonly string[]
}

/** The generated facts of one served resource; lists are joined by spaces, parts by '|'. */
interface Row {
  readonly group: string
  readonly version: string
  readonly kind: string
  readonly plural: string
  readonly namespaced: boolean
  readonly singular: string
  readonly definition: string
  readonly list?: string
  readonly verbs: string
  readonly shortNames?: string
  readonly categories?: string
  readonly subresources: readonly string[]
  readonly columns: readonly string[]
  readonly prefix: string
  /** 'group/version/Kind' under which the objects lie. */
  readonly storedAs?: string
}

const facts: readonly Row[] = rows.kinds

/** How versions of a kind that share storage turn into each other. Only `autoscaling/v1` and `events.k8s.io/v1` need it. */
export interface StorageConversion {
  /** Of which resource this is: { group: 'autoscaling', version: 'v1', plural: 'horizontalpodautoscalers' }. */
  readonly of: Pick<Resource, 'group' | 'version' | 'plural'>
  readonly toStored: (object: KubernetesObject) => KubernetesObject
  readonly fromStored: (stored: KubernetesObject) => KubernetesObject
}

/**
 * All kinds that the server knows. Built-in ones come from the facts joined with their behaviour; custom ones are added and removed at run time.
 * Every lookup is by a string that callers build rarely: the request path keeps the Kind it found.
 */
export class KindTable {
  readonly #byResource = new Map<string, Kind>()
  readonly #byKind = new Map<string, Kind>()
  /** In the order in which groups were added; custom groups come after the built-in ones, by name. */
  readonly #groups: { name: string; versions: string[] }[] = []
  #revision = 0

  /** Grows with every change: what is derived from the table (discovery, OpenAPI) is kept as long as it stands still. */
  get revision(): number {
    return this.#revision
  }

  /** The kind behind a path's group, version and plural. */
  byResource(group: string, version: string, plural: string): Kind | undefined {
    return this.#byResource.get(`${group}/${version}/${plural}`)
  }

  /** The kind that an object says it is. */
  byKind(group: string, version: string, kind: string): Kind | undefined {
    return this.#byKind.get(`${group}/${version}/${kind}`)
  }

  /** The kind in the preferred version of those that serve it. */
  preferred(group: string, plural: string): Kind | undefined {
    for (const version of this.group(group)?.versions ?? []) {
      const kind = this.byResource(group, version, plural)
      if (kind) return kind
    }
    return undefined
  }

  /** The groups in upstream's order of priority, the core group first. */
  groups(): readonly ServedGroup[] {
    return this.#groups
  }

  /** One group. */
  group(name: string): ServedGroup | undefined {
    return this.#groups.find((group) => group.name === name)
  }

  /** The kinds of a group and version, in the order of discovery. */
  kindsOf(group: string, version: string): Kind[] {
    return [...this.#byResource.values()].filter(
      ({ resource }) => resource.group === group && resource.version === version,
    )
  }

  /** Every kind. */
  all(): Kind[] {
    return [...this.#byResource.values()]
  }

  /** Adds a kind, or replaces the one with the same group, version and plural. */
  add(kind: Kind): void {
    const { group, version, plural } = kind.resource
    this.#byResource.set(`${group}/${version}/${plural}`, kind)
    this.#byKind.set(`${group}/${version}/${kind.resource.kind}`, kind)
    let served = this.#groups.find(({ name }) => name === group)
    if (!served) {
      served = { name: group, versions: [] }
      const at = kind.custom ? this.#groups.findIndex(({ name }) => name > group && this.#isCustom(name)) : -1
      this.#groups.splice(at < 0 ? this.#groups.length : at, 0, served)
    }
    if (!served.versions.includes(version)) {
      served.versions.push(version)
      if (kind.custom) served.versions.sort(compareVersions)
    }
    this.#revision++
  }

  /** Forgets a kind; its version and group go with their last kind. */
  remove(resource: Pick<Resource, 'group' | 'version' | 'plural'>): void {
    const { group, version, plural } = resource
    const kind = this.byResource(group, version, plural)
    if (!kind) return
    this.#byResource.delete(`${group}/${version}/${plural}`)
    this.#byKind.delete(`${group}/${version}/${kind.resource.kind}`)
    this.#revision++
    const served = this.#groups.find(({ name }) => name === group)!
    if (this.kindsOf(group, version).length > 0) return
    served.versions.splice(served.versions.indexOf(version), 1)
    if (served.versions.length === 0) this.#groups.splice(this.#groups.indexOf(served), 1)
  }

  #isCustom(group: string): boolean {
    return this.all().every((kind) => kind.resource.group !== group || kind.custom === true)
  }
}

/** A table of all built-in kinds; those without a definition have no behaviour of their own. */
export function newKindTable(
  definitions: readonly KindDefinition[],
  conversions: readonly StorageConversion[] = [],
): KindTable {
  const table = new KindTable()
  const keyOf = ({ group, version, plural }: Pick<Resource, 'group' | 'version' | 'plural'>) =>
    `${group}/${version}/${plural}`
  const behaviours = new Map(definitions.map(({ resource, behaviour }) => [keyOf(resource), behaviour]))
  const converting = new Map(conversions.map((conversion) => [keyOf(conversion.of), conversion]))
  for (const row of facts)
    table.add(kindOf(row, { table, behaviour: behaviours.get(keyOf(row)), conversion: converting.get(keyOf(row)) }))
  return table
}

function kindOf(
  row: Row,
  {
    table,
    behaviour,
    conversion,
  }: { table: KindTable; behaviour: KindBehaviour<never> | undefined; conversion: StorageConversion | undefined },
): Kind {
  const schema = definition(row.definition)
  return {
    resource: {
      group: row.group,
      version: row.version,
      kind: row.kind,
      plural: row.plural,
      namespaced: row.namespaced,
    },
    singular: row.singular,
    listKind: `${row.kind}List`,
    shortNames: words(row.shortNames),
    categories: words(row.categories),
    verbs: words(row.verbs),
    subresources: row.subresources.map((line) => subresourceOf(line, row)),
    schema,
    columns: row.columns.map(columnOf),
    behaviour: (behaviour ?? {}) as KindBehaviour<KubernetesObject>,
    storagePrefix: row.prefix,
    ...(row.storedAs && { storedAs: storageOf(row, row.storedAs, { table, conversion }) }),
  }
}

/** Without a conversion the versions have the same fields, and only `apiVersion` differs. */
function storageOf(
  row: Row,
  storedAs: string,
  { table, conversion }: { table: KindTable; conversion: StorageConversion | undefined },
): NonNullable<Kind['storedAs']> {
  const [group, version, kind] = storedAs.split('/') as [string, string, string]
  const renamed = (apiVersion: string) => (object: KubernetesObject) => ({ ...object, apiVersion })
  const stored = () => table.byKind(group, version, kind)!
  if (!conversion) {
    return {
      kind: stored,
      toStored: renamed(group ? `${group}/${version}` : version),
      fromStored: renamed(row.group ? `${row.group}/${row.version}` : row.version),
    }
  }
  // What one version always writes, another may leave out.
  return {
    kind: stored,
    toStored: (object) => normalise(stored().schema, conversion.toStored(object)),
    fromStored: (object) => normalise(definition(row.definition), conversion.fromStored(object)),
  }
}

const words = (text: string | undefined): string[] => (text ? text.split(' ') : [])

/** A subresource without a group and version of its own answers in its resource's. */
function subresourceOf(line: string, row: Row): Subresource {
  const [name, group, version, kind, verbs] = line.split('|') as [string, string, string, string, string]
  return {
    name,
    verbs: words(verbs),
    responseKind: version ? { group, version, kind } : { group: row.group, version: row.version, kind },
  }
}

function columnOf(line: string): Column {
  const [name, type, format, priority] = line.split('|') as [string, string, string, string]
  return { name, type, format, priority: Number(priority) }
}

const versionPattern = /^v(\d+)(?:(alpha|beta)(\d+))?$/

/** Sorts versions as upstream prefers them: v2, v1, v1beta2, v1beta1, v1alpha1, then the rest by name. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [versionPattern.exec(a), versionPattern.exec(b)]
  if (!left || !right) return left ? -1 : right ? 1 : a < b ? -1 : a > b ? 1 : 0
  const stage = (match: RegExpExecArray) => (match[2] === undefined ? 2 : match[2] === 'beta' ? 1 : 0)
  return (
    stage(right) - stage(left) || Number(right[1]) - Number(left[1]) || Number(right[3] ?? 0) - Number(left[3] ?? 0)
  )
}
