import type { Kind } from '../kind.ts'
import { findDefinition, unionsOf } from '../schema/builtin.ts'
import type { Field, ListSchema, ScalarSchema, Schema, StructSchema } from '../schema/schema.ts'

/** OpenAPI's two versions say some things differently. */
export type OpenApiVersion = 'v2' | 'v3'

/** JSON of an OpenAPI document. */
export type Json = { [key: string]: unknown }

const prefixes = { v2: '#/definitions/', v3: '#/components/schemas/' } as const

/** A reference to a definition. */
export const refTo = (version: OpenApiVersion, id: string): Json => ({ $ref: prefixes[version] + id })

const meta = 'io.k8s.apimachinery.pkg.apis.meta.v1.'
const extensions = 'io.k8s.apiextensions-apiserver.pkg.apis.apiextensions.v1.'

/** The ids of what is no struct but has a definition all the same. */
const scalarIds: Readonly<Record<string, string>> = {
  quantity: 'io.k8s.apimachinery.pkg.api.resource.Quantity',
  intOrString: 'io.k8s.apimachinery.pkg.util.intstr.IntOrString',
  time: `${meta}Time`,
  microTime: `${meta}MicroTime`,
  fieldsV1: `${meta}FieldsV1`,
  rawExtension: 'io.k8s.apimachinery.pkg.runtime.RawExtension',
  json: `${extensions}JSON`,
  schemaOrArray: `${extensions}JSONSchemaPropsOrArray`,
  schemaOrBool: `${extensions}JSONSchemaPropsOrBool`,
  schemaOrStrings: `${extensions}JSONSchemaPropsOrStringArray`,
}

/** The body of patches, which only OpenAPI knows as a type. */
export const patchId = `${meta}Patch`

const scalarDefinitions: Readonly<Record<string, Readonly<Record<OpenApiVersion, Json>>>> = {
  [scalarIds['quantity']!]: { v2: { type: 'string' }, v3: { oneOf: [{ type: 'string' }, { type: 'number' }] } },
  [scalarIds['intOrString']!]: {
    v2: { type: 'string', format: 'int-or-string' },
    v3: { format: 'int-or-string', oneOf: [{ type: 'integer' }, { type: 'string' }] },
  },
  [scalarIds['time']!]: both({ type: 'string', format: 'date-time' }),
  [scalarIds['microTime']!]: both({ type: 'string', format: 'date-time' }),
  [scalarIds['fieldsV1']!]: both({ type: 'object' }),
  [scalarIds['rawExtension']!]: both({ type: 'object' }),
  [scalarIds['json']!]: both({}),
  [scalarIds['schemaOrArray']!]: both({}),
  [scalarIds['schemaOrBool']!]: both({}),
  [scalarIds['schemaOrStrings']!]: both({}),
  [patchId]: both({ type: 'object' }),
}

/** What the fields of metadata are for: all that is known of custom kinds' objects, too. */
const metadataFields: Readonly<Record<string, string>> = {
  annotations: 'Annotations are texts by name that tools keep with the object; nothing is selected by them.',
  creationTimestamp: 'CreationTimestamp is a timestamp of when the server stored this object. Read-only.',
  deletionGracePeriodSeconds: 'How many seconds a deletion waits for the object to end by itself. Read-only.',
  deletionTimestamp: 'When the object is to be gone: set by the server once a client asked for it. Read-only.',
  finalizers: 'Names of what has to be done before the object can go. Each is taken off by whoever did it.',
  generateName: 'What the name shall begin with, when the server makes up the rest.',
  generation: 'Counts the changes of what is wanted. Read-only.',
  labels: 'Labels are short texts by name that objects are selected by.',
  managedFields: 'Who set which fields, for server-side apply.',
  name: 'Name is unique among the objects of its kind in a namespace, and never changes.',
  namespace: 'The namespace that the object is in; empty for kinds of the whole cluster.',
  ownerReferences: 'The objects that this one belongs to: it goes when all of them are gone.',
  resourceVersion:
    'Changes with every write: for optimistic concurrency and for watches. Not to be interpreted. Read-only.',
  selfLink: 'No longer set.',
  uid: 'UID is unique over all objects and times. Read-only.',
}

function both(json: Json): Record<OpenApiVersion, Json> {
  return { v2: json, v3: json }
}

const plain: Readonly<Record<string, Json>> = {
  string: { type: 'string' },
  bytes: { type: 'string', format: 'byte' },
  boolean: { type: 'boolean' },
  int32: { type: 'integer', format: 'int32' },
  int64: { type: 'integer', format: 'int64' },
  double: { type: 'number', format: 'double' },
}

/** What kubectl reads to know which kinds an object of a definition can be. */
export interface GroupVersionKind {
  readonly group: string
  readonly version: string
  readonly kind: string
}

/** Writes definitions as they are needed, and all that they refer to. */
export class DefinitionWriter {
  readonly #version: OpenApiVersion
  readonly #gvks: ReadonlyMap<string, readonly GroupVersionKind[]>
  readonly #written = new Map<string, Json>()

  constructor(version: OpenApiVersion, gvks: ReadonlyMap<string, readonly GroupVersionKind[]>) {
    this.#version = version
    this.#gvks = gvks
  }

  /** The definitions so far, by id in order. */
  get definitions(): Json {
    return Object.fromEntries([...this.#written].sort(([a], [b]) => (a < b ? -1 : 1)))
  }

  /** A reference to a definition, which is written if it is not yet. */
  ref(id: string): Json {
    if (!this.#written.has(id)) {
      this.#written.set(id, {})
      this.#written.set(id, this.#definition(id))
    }
    return refTo(this.#version, id)
  }

  /** The same for a definition whose text comes from elsewhere: a custom kind's. References in it must be made by `ref`. */
  refTo(id: string, make: () => Json): Json {
    if (!this.#written.has(id)) {
      this.#written.set(id, {})
      this.#written.set(id, make())
    }
    return refTo(this.#version, id)
  }

  /** A schema in place. */
  schema(schema: Schema): Json {
    return this.#type(schema)
  }

  #definition(id: string): Json {
    const scalar = scalarDefinitions[id]
    if (scalar) return scalar[this.#version]
    const struct = findDefinition(id)
    if (!struct) throw new Error(`no definition ${id}`)
    const gvks = this.#gvks.get(id)
    const unions = unionsOf(id)
    return {
      ...this.#struct(struct),
      ...(gvks && { 'x-kubernetes-group-version-kind': gvks }),
      ...(unions !== undefined && { 'x-kubernetes-unions': unions }),
    }
  }

  #struct(struct: StructSchema): Json {
    const descriptions = struct.name === `${meta}ObjectMeta` ? metadataFields : undefined
    const fields = [...struct.fields.values()].sort((a, b) => (a.name < b.name ? -1 : 1))
    const required = [...struct.fields.values()].filter((field) => field.required).map((field) => field.name)
    return {
      type: 'object',
      ...(fields.length > 0 && {
        properties: Object.fromEntries(
          fields.map((field) => [
            field.name,
            { ...(descriptions?.[field.name] && { description: descriptions[field.name] }), ...this.#field(field) },
          ]),
        ),
      }),
      ...(required.length > 0 && { required }),
      ...(struct.atomic && { 'x-kubernetes-map-type': 'atomic' }),
    }
  }

  #field(field: Field): Json {
    const { schema } = field
    const type = this.#type(schema)
    const strategies = field.patchStrategy ?? (schema.type === 'list' ? schema.patchStrategy : undefined)
    const extras: Json = {
      ...(schema.type === 'list' && listExtras(schema)),
      ...mapType(schema),
      ...(strategies && { 'x-kubernetes-patch-strategy': strategies.join(',') }),
    }
    if (this.#version === 'v2') return { ...type, ...extras }
    // A reference has no neighbours in OpenAPI 3.0.
    return { ...('$ref' in type ? { allOf: [type] } : type), ...extras, ...defaultOf(field) }
  }

  #type(schema: Schema): Json {
    switch (schema.type) {
      case 'list':
        return { type: 'array', items: this.#element(schema.items) }
      case 'map':
        return { type: 'object', additionalProperties: this.#element(schema.values) }
      case 'struct':
        return schema.name ? this.ref(schema.name) : this.#struct(schema)
      default:
        return this.#scalar(schema)
    }
  }

  #scalar(schema: ScalarSchema): Json {
    const id = scalarIds[schema.form ?? schema.type]
    if (id) return this.ref(id)
    return plain[schema.type] ?? { 'x-kubernetes-preserve-unknown-fields': true }
  }

  /** Elements of lists and maps are values in Go, so they have a default. */
  #element(schema: Schema): Json {
    const type = this.#type(schema)
    if (this.#version === 'v2') return type
    if (schema.type === 'struct' && '$ref' in type) return { allOf: [type], default: {} }
    const zero = zeros[schema.type]
    return zero === undefined ? type : { ...type, default: zero }
  }
}

/** How apply sees a map or struct, where that does not follow from its definition. */
function mapType(schema: Schema): Json {
  if (schema.type === 'map' && (schema.atomic || schema.granular))
    return { 'x-kubernetes-map-type': schema.atomic ? 'atomic' : 'granular' }
  if (schema.type !== 'struct' || !schema.name || findDefinition(schema.name)?.atomic === schema.atomic) return {}
  return { 'x-kubernetes-map-type': schema.atomic ? 'atomic' : 'granular' }
}

function listExtras(list: ListSchema): Json {
  return {
    ...(list.listType && { 'x-kubernetes-list-type': list.listType }),
    ...(list.listMapKeys && { 'x-kubernetes-list-map-keys': list.listMapKeys }),
    ...(list.patchMergeKey && { 'x-kubernetes-patch-merge-key': list.patchMergeKey }),
  }
}

const zeros: Readonly<Record<string, unknown>> = { string: '', boolean: false, int32: 0, int64: 0, double: 0 }

/** A declared default; else the zero of what Go always writes. */
function defaultOf(field: Field): Json {
  if (field.default !== undefined) return { default: field.default }
  if (field.pointer) return {}
  if (field.schema.type === 'struct') return { default: {} }
  const zero = zeros[field.schema.type]
  return field.omit === 'never' && zero !== undefined ? { default: zero } : {}
}

/** Which kinds have which definitions, for `x-kubernetes-group-version-kind`. */
export function kindsByDefinition(kinds: readonly Kind[]): Map<string, GroupVersionKind[]> {
  const out = new Map<string, GroupVersionKind[]>()
  for (const kind of kinds) {
    if (kind.custom) continue
    const { group, version, kind: name } = kind.resource
    out.set(kind.schema.name, [{ group, kind: name, version }])
    if (findDefinition(`${kind.schema.name}List`))
      out.set(`${kind.schema.name}List`, [{ group, kind: `${name}List`, version }])
    for (const { responseKind } of kind.subresources) {
      const id =
        responseKind.kind === 'Scale'
          ? 'io.k8s.api.autoscaling.v1.Scale'
          : responseKind.kind === 'Eviction'
            ? 'io.k8s.api.policy.v1.Eviction'
            : responseKind.kind === 'TokenRequest'
              ? 'io.k8s.api.authentication.v1.TokenRequest'
              : ''
      if (id) out.set(id, [responseKind])
    }
  }
  for (const name of ['APIGroup', 'APIGroupList', 'APIResourceList', 'APIVersions', 'Status'])
    out.set(meta + name, [{ group: '', kind: name, version: 'v1' }])
  const everywhere = new Map(kinds.map(({ resource }) => [`${resource.group}/${resource.version}`, resource]))
  for (const name of ['DeleteOptions', 'WatchEvent'])
    out.set(
      meta + name,
      [...everywhere.values()].map(({ group, version }) => ({ group, kind: name, version })),
    )
  return out
}
