import type { CustomResourceDefinition, CustomResourceDefinitionVersion } from '../../api/generated/types/apiextensions-v1.ts'
import type { Kind, KindBehaviour, Subresource } from '../../api/kind.ts'
import type { Frozen, KubernetesObject } from '../../api/resource.ts'
import { objectMetaSchema } from '../../api/schema/builtin.ts'
import { normalise } from '../../api/schema/decode.ts'
import { compileJsonPath } from '../../api/table-format/json-path.ts'
import { customColumns } from '../../api/table-format/custom-columns.ts'
import { equal } from '../../api/validation/equal.ts'
import { field, FieldErrors } from '../../api/validation/field.ts'
import { dnsSubdomainErrors } from '../../api/validation/names.ts'
import { applyDefaults } from './defaults.ts'
import type { Props, Values } from './props.ts'
import { customSchema } from './to-schema.ts'
import { checkUniqueness, validateBySchema } from './validate.ts'

type Definition = Frozen<CustomResourceDefinition>
type Version = Frozen<CustomResourceDefinitionVersion>

const props = new WeakMap<Kind, Props>()

/** The schema that a custom kind was declared with. */
export const propsOf = (kind: Kind): Props | undefined => props.get(kind)

const verbs = ['delete', 'deletecollection', 'get', 'list', 'patch', 'create', 'update', 'watch']

/** The kinds of a definition that are served, one for each version. */
export function customKinds(definition: Definition): Kind[] {
  const made = new Map<string, Kind>()
  const storage = definition.spec.versions.find(({ storage: stored }) => stored)
  for (const version of definition.spec.versions) {
    if (version.served || version === storage) made.set(version.name, customKind(definition, version, () => made.get(storage?.name ?? '')))
  }
  return [...made].filter(([name]) => definition.spec.versions.some((version) => version.name === name && version.served)).map(([, kind]) => kind)
}

/** The kind under whose version a definition's objects are stored, served or not. */
export function storedKind(definition: Definition): Kind | undefined {
  const version = definition.spec.versions.find(({ storage }) => storage)
  return version && customKind(definition, version, () => undefined)
}

function customKind(definition: Definition, version: Version, stored: () => Kind | undefined): Kind {
  const { group, names, scope } = definition.spec
  const accepted = definition.status?.acceptedNames ?? names
  const schema = version.schema?.openAPIV3Schema
  const { columns, row } = customColumns(version.additionalPrinterColumns as Parameters<typeof customColumns>[0])
  const apiVersion = `${group}/${version.name}`
  const kind: Kind = {
    resource: { group, version: version.name, kind: names.kind, plural: names.plural, namespaced: scope === 'Namespaced' },
    singular: accepted.singular ?? names.kind.toLowerCase(),
    listKind: accepted.listKind ?? `${names.kind}List`,
    shortNames: accepted.shortNames ?? [],
    categories: accepted.categories ?? [],
    verbs,
    subresources: subresourcesOf(definition, version),
    schema: customSchema(schema),
    columns,
    behaviour: behaviourOf(version, row),
    storagePrefix: `/registry/${group}/${names.plural}/`,
    custom: true,
    ...(!version.storage && {
      storedAs: {
        kind: () => stored()!,
        toStored: (object: KubernetesObject) => ({ ...object, apiVersion: `${group}/${stored()!.resource.version}` }),
        fromStored: (object: KubernetesObject) => ({ ...object, apiVersion }),
      },
    }),
  }
  if (schema) props.set(kind, schema)
  return kind
}

function subresourcesOf({ spec: { group, names } }: Definition, { name: version, subresources }: Version): Subresource[] {
  const own = { group, version, kind: names.kind }
  return [
    ...(subresources?.status ? [{ name: 'status', verbs: ['get', 'patch', 'update'], responseKind: own }] : []),
    ...(subresources?.scale ? [{ name: 'scale', verbs: ['get', 'patch', 'update'], responseKind: { group: 'autoscaling', version: 'v1', kind: 'Scale' } }] : []),
  ]
}

const withoutDot = (path: string): string => (path.startsWith('.') ? path.slice(1) : path)

function behaviourOf(version: Version, row: KindBehaviour<KubernetesObject>['row']): KindBehaviour<KubernetesObject> {
  const schema = version.schema?.openAPIV3Schema
  const { status, scale } = version.subresources ?? {}
  const check = (object: Frozen<KubernetesObject>, old: Frozen<KubernetesObject> | undefined, errors: FieldErrors) => {
    if (schema) validateCustom(object, old, schema, errors)
    if (scale) checkReplicas(object, scale.specReplicasPath, errors)
  }
  return {
    ...(row && { row }),
    metadata: { finalizers: 'any' },
    nameErrors: dnsSubdomainErrors,
    unconditionalUpdate: false,
    status: status !== undefined,
    ...(scale && { scale: { replicas: withoutDot(scale.specReplicasPath), statusReplicas: withoutDot(scale.statusReplicasPath), selector: scale.labelSelectorPath ? withoutDot(scale.labelSelectorPath) : '' } }),
    ...(schema && { defaults: (object: KubernetesObject) => applyDefaults(object, schema) }),
    ...(version.selectableFields?.length && { fields: Object.fromEntries(version.selectableFields.map(({ jsonPath }) => [withoutDot(jsonPath), selectable(jsonPath)])) }),
    generation: (object, old) => changed(object, old, status !== undefined),
    prepareUpdate(object, old, { subresource }) {
      if (subresource === 'status') keepMetadata(object, old)
    },
    validate: (object, errors) => check(object, undefined, errors),
    validateUpdate: (object, old, errors) => check(object, old, errors),
    warnings: () => (version.deprecated ? [version.deprecationWarning ?? `${version.name} is deprecated`] : []),
  }
}

function validateCustom(object: Frozen<KubernetesObject>, old: Frozen<KubernetesObject> | undefined, schema: Props, errors: FieldErrors): void {
  const before = errors.list.length
  // The metadata has its own rules.
  const { metadata: _metadata, ...rest } = object as Values
  const { metadata: _old, ...oldRest } = (old ?? {}) as Values
  const { properties } = schema
  const { metadata: metadataProps, ...others } = properties ?? {}
  const body: Props = properties ? { ...schema, properties: others, ...(schema.required && { required: schema.required.filter((name) => name !== 'metadata' || object.metadata === undefined) }) } : schema
  validateBySchema(rest, old ? oldRest : undefined, body, errors)
  const names = metadataProps?.properties?.['name']
  if (names) validateBySchema(object.metadata?.name, old?.metadata?.name, names, errors, field('metadata', 'name'))
  if (errors.list.length === before) checkUniqueness(rest, schema, errors)
}

function checkReplicas(object: Frozen<KubernetesObject>, path: string, errors: FieldErrors): void {
  const names = withoutDot(path).split('.')
  const replicas = names.reduce<unknown>((value, name) => (typeof value === 'object' && value !== null ? (value as Values)[name] : undefined), object)
  if (typeof replicas === 'number' && replicas < 0) errors.invalid(field(...names), replicas, 'should be a non-negative integer')
}

/** Without a status of its own, everything but the metadata counts. */
function changed(object: Frozen<KubernetesObject>, old: Frozen<KubernetesObject>, ownStatus: boolean): boolean {
  const plain = ({ metadata: _metadata, status, ...rest }: Values) => (ownStatus ? rest : { ...rest, status })
  return !equal(plain(object as Values), plain(old as Values))
}

/** A status update changes nothing of the metadata but who owns what. */
function keepMetadata(object: KubernetesObject, old: Frozen<KubernetesObject>): void {
  const { managedFields, resourceVersion } = object.metadata ?? {}
  object.metadata = normalise(objectMetaSchema(), { ...old.metadata, ...(resourceVersion && { resourceVersion }) })
  if (managedFields) object.metadata.managedFields = managedFields
  else delete object.metadata.managedFields
}

function selectable(path: string): (object: Frozen<KubernetesObject>) => string {
  const read = compileJsonPath(path)
  return (object) => {
    const [value] = read?.(object) ?? []
    return value === undefined || value === null ? '' : String(value as string | number | boolean)
  }
}
