import { hasDefaults, fillDefaults } from '../../api/crd-schema/default-values.ts'
import { structSchemaOf } from '../../api/crd-schema/struct-schema.ts'
import type { JsonSchema } from '../../api/crd-schema/json-schema.ts'
import type {
  CustomResourceDefinition,
  CustomResourceDefinitionVersion,
} from '../../api/generated/types/apiextensions-v1.ts'
import type { Kind, KindBehaviour, StoredAs, Subresource } from '../../api/kind.ts'
import { apiVersionOf, type Frozen, type KubernetesObject } from '../../api/resource.ts'
import type { Outbound } from '../outbound/post-json.ts'
import { conversionWebhook, type Convert } from './conversion-webhook.ts'
import { normalise } from '../../api/schema/decode.ts'
import { compileJsonPath } from '../../api/table-format/json-path.ts'
import { customColumns } from '../../api/table-format/custom-columns.ts'
import { equal } from '../../api/validation/equal.ts'
import { isQualifiedName } from '../../api/validation/names.ts'
import { declareSchema } from './declared-schema.ts'
import { objectRules } from './object-rules.ts'

type Definition = Frozen<CustomResourceDefinition>
type Version = Frozen<CustomResourceDefinitionVersion>

const verbs = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch']

/** The kinds of a definition, one for each version that is served, and the one under which objects are stored, served or not. */
export interface CustomKinds {
  readonly served: readonly Kind[]
  readonly stored: Kind
}

/** Makes them. */
export function customKinds(definition: Definition, outbound: Outbound): CustomKinds {
  const { versions } = definition.spec
  const stored = versions.find(({ storage }) => storage)!
  const kinds: VersionKinds = {
    byVersion: new Map(),
    stored: stored.name,
    convert: conversionWebhook(outbound, definition),
  }
  for (const version of versions) kinds.byVersion.set(version.name, customKind(definition, version, kinds))
  return {
    served: versions.filter(({ served }) => served).map(({ name }) => kinds.byVersion.get(name)!),
    stored: kinds.byVersion.get(stored.name)!,
  }
}

/** The kinds of all versions, served or not. */
interface VersionKinds {
  readonly byVersion: Map<string, Kind>
  readonly stored: string
  /** Absent: nothing but the version differs. */
  readonly convert: Convert | undefined
}

function customKind(definition: Definition, version: Version, kinds: VersionKinds): Kind {
  const { group, names, scope } = definition.spec
  const accepted = definition.status?.acceptedNames?.plural ? definition.status.acceptedNames : names
  const declared = version.schema?.openAPIV3Schema
  const { columns, row } = customColumns(version.additionalPrinterColumns as Parameters<typeof customColumns>[0])
  const resource = {
    group,
    version: version.name,
    kind: names.kind,
    plural: names.plural,
    namespaced: scope === 'Namespaced',
  }
  const schema = structSchemaOf(declared)
  const kind: Kind = {
    resource,
    singular: accepted.singular ?? names.kind.toLowerCase(),
    listKind: accepted.listKind ?? `${names.kind}List`,
    shortNames: accepted.shortNames ?? [],
    categories: accepted.categories ?? [],
    verbs,
    subresources: subresourcesOf(definition, version),
    schema,
    columns,
    behaviour: behaviourOf(version, { row, declared }),
    storagePrefix: `/registry/${group}/${names.plural}/`,
    custom: true,
    versions: definition.spec.versions.map(({ name }) => name),
    ...(version.deprecated && {
      deprecation: version.deprecationWarning ?? `${group}/${version.name} ${names.kind} is deprecated`,
    }),
    ...(readsDiffer(definition, version) && { storedAs: storedAs(() => kind, kinds) }),
  }
  declareSchema(kind, declared)
  return kind
}

/** Whether what is read may not be what is stored: another version, another schema at the time of writing, or a status that nobody has written yet but that has a default. */
const readsDiffer = ({ metadata, status }: Definition, { storage, subresources, schema }: Version): boolean =>
  !storage ||
  (metadata.generation ?? 1) > 1 ||
  (status?.storedVersions?.length ?? 0) > 1 ||
  (Boolean(subresources?.status) && schema?.openAPIV3Schema?.properties?.['status']?.default !== undefined)

/** An object in a kind's version: what that version does not have is left out. */
const converted = (object: KubernetesObject, { resource: { group, version }, schema }: Kind): KubernetesObject =>
  normalise(schema, { ...object, apiVersion: `${group}/${version}` }) as unknown as KubernetesObject

/** A stored object with the defaults of its own version, which may have got them after it was written. */
function defaulted(object: KubernetesObject, { byVersion, stored }: VersionKinds): KubernetesObject {
  const own = byVersion.get(object.apiVersion?.split('/')[1] ?? stored) ?? byVersion.get(stored)!
  if (!own.behaviour.defaults) return object
  const out = converted(object, own)
  own.behaviour.defaults(out)
  return out
}

/** How objects of a version are stored: conversions by a webhook are made before they are asked for. */
function storedAs(kind: () => Kind, kinds: VersionKinds): StoredAs {
  const stored = () => kinds.byVersion.get(kinds.stored)!
  const { convert } = kinds
  if (!convert)
    return {
      kind: stored,
      toStored: (object) => converted(object, stored()),
      fromStored: memoised((object) => converted(defaulted(object, kinds), kind())),
    }
  const known = { toStored: new WeakMap<object, KubernetesObject>(), fromStored: new Converted() }
  return {
    kind: stored,
    toStored: (object) => converted(known.toStored.get(object) ?? object, stored()),
    fromStored: (object) => converted(known.fromStored.get(object) ?? defaulted(object, kinds), kind()),
    async prepare(direction, objects) {
      const target = direction === 'toStored' ? stored() : kind()
      const apiVersion = apiVersionOf(target.resource)
      const missing = objects.filter(
        (object) =>
          object.apiVersion !== apiVersion &&
          !(direction === 'fromStored' ? known.fromStored.get(object) : known.toStored.get(object)),
      )
      if (missing.length === 0) return
      const sent = missing.map((object) => defaulted(object as KubernetesObject, kinds) as Frozen<KubernetesObject>)
      const answered = await convert(sent, apiVersion)
      answered.forEach((object, i) =>
        direction === 'fromStored'
          ? known.fromStored.set(missing[i]!, object)
          : known.toStored.set(missing[i]!, object),
      )
    },
  }
}

/** So many converted objects are remembered: more than the largest list that anybody asks for at once. */
const convertedMax = 50_000

/** Converted objects by what they were made of: an object of storage is read anew now and then, so that its identity means nothing. */
class Converted {
  readonly #known = new Map<string, KubernetesObject>()

  get(object: Frozen<KubernetesObject>): KubernetesObject | undefined {
    return this.#known.get(keyOf(object))
  }

  set(object: Frozen<KubernetesObject>, converted: KubernetesObject): void {
    if (this.#known.size >= convertedMax) this.#known.delete(this.#known.keys().next().value!)
    this.#known.set(keyOf(object), converted)
  }
}

const keyOf = ({ metadata }: Frozen<KubernetesObject>): string => `${metadata?.uid}/${metadata?.resourceVersion}`

/** Stored objects never change, so each is converted once while it is in memory. */
function memoised(
  convert: (object: KubernetesObject) => KubernetesObject,
): (object: KubernetesObject) => KubernetesObject {
  const known = new WeakMap<KubernetesObject, KubernetesObject>()
  return (object) => {
    let out = known.get(object)
    if (!out) known.set(object, (out = convert(object)))
    return out
  }
}

function subresourcesOf(
  { spec: { group, names } }: Definition,
  { name: version, subresources }: Version,
): Subresource[] {
  const own = { group, version, kind: names.kind }
  return [
    ...(subresources?.status ? [{ name: 'status', verbs: ['get', 'patch', 'update'], responseKind: own }] : []),
    ...(subresources?.scale
      ? [
          {
            name: 'scale',
            verbs: ['get', 'patch', 'update'],
            responseKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' },
          },
        ]
      : []),
  ]
}

const withoutDot = (path: string): string => (path.startsWith('.') ? path.slice(1) : path)

interface Parts {
  readonly row: KindBehaviour<KubernetesObject>['row']
  readonly declared: JsonSchema | undefined
}

function behaviourOf(version: Version, { row, declared }: Parts): KindBehaviour<KubernetesObject> {
  const { status, scale } = version.subresources ?? {}
  const rules = objectRules(version)
  return {
    ...(row && { row }),
    metadata: { finalizers: 'any' },
    unconditionalUpdate: false,
    status: Boolean(status),
    ...(scale && {
      scale: {
        replicas: withoutDot(scale.specReplicasPath),
        statusReplicas: withoutDot(scale.statusReplicasPath),
        selector: scale.labelSelectorPath ? withoutDot(scale.labelSelectorPath) : '',
      },
    }),
    ...(declared && hasDefaults(declared) && { defaults: (object) => fillDefaults(declared, object) }),
    ...(version.selectableFields?.length && {
      fields: Object.fromEntries(
        version.selectableFields.map(({ jsonPath }) => [withoutDot(jsonPath), selectable(jsonPath)]),
      ),
    }),
    generation: (object, old) => !equal(body(object, Boolean(status)), body(old, Boolean(status))),
    prepareUpdate(object, old, { subresource }) {
      if (subresource === 'status') keepMetadata(object, old)
    },
    validate: (object, errors) => rules.created(object, errors),
    validateUpdate: (object, old, errors, { subresource }) => rules.updated(object, old, subresource, errors),
    warnings: (object, old) => finalizerWarnings(object, old),
  }
}

/** What counts for the generation: all but the metadata, and the status where it is written by itself. */
function body(object: Frozen<KubernetesObject>, ownStatus: boolean): object {
  const { metadata: _metadata, status, ...rest } = object as Frozen<KubernetesObject> & { status?: unknown }
  return ownStatus ? rest : { ...rest, status }
}

/** A status update changes nothing of the metadata but who owns what. */
function keepMetadata(object: KubernetesObject, old: Frozen<KubernetesObject>): void {
  const { managedFields, resourceVersion } = object.metadata ?? {}
  const metadata = structuredClone(old.metadata ?? {}) as NonNullable<KubernetesObject['metadata']>
  object.metadata = { ...metadata, ...(resourceVersion && { resourceVersion }) }
  if (managedFields) object.metadata.managedFields = managedFields
  else delete object.metadata.managedFields
}

function selectable(path: string): (object: Frozen<KubernetesObject>) => string {
  const find = compileJsonPath(path)
  return (object) => {
    const [value] = find(object)
    return value === undefined || value === null
      ? ''
      : typeof value === 'object'
        ? JSON.stringify(value)
        : String(value as string | number | boolean)
  }
}

const standardFinalizers = new Set(['kubernetes', 'orphan', 'foregroundDeletion'])

/** Finalizers without a domain may be those of somebody else. */
function finalizerWarnings(
  { metadata }: Frozen<KubernetesObject>,
  old: Frozen<KubernetesObject> | undefined,
): string[] {
  const before = new Set(old?.metadata?.finalizers)
  return [...new Set(metadata?.finalizers)]
    .filter((finalizer) => !before.has(finalizer))
    .sort()
    .flatMap((finalizer) => {
      const at = `metadata.finalizers: ${JSON.stringify(finalizer)}:`
      const problems = isQualifiedName(finalizer).map((text) => `${at} ${text}`)
      if (finalizer.includes('/') || standardFinalizers.has(finalizer)) return problems
      return [
        ...problems,
        `${at} prefer a domain-qualified finalizer name${finalizer.includes('.') ? ' including a path (/)' : ''} to avoid accidental conflicts with other finalizer writers`,
      ]
    })
}
