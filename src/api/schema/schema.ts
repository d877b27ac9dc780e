/**
 * The shape of API objects as data: compiled from the facts for built-in kinds, from OpenAPI schemas for custom ones. Decoding, pruning, merging,
 * managed fields, OpenAPI and protobuf all follow it.
 */
export type Schema = ScalarSchema | ListSchema | MapSchema | StructSchema

/** Leaves. `any` is JSON of any shape (RawExtension, JSON, FieldsV1). */
export interface ScalarSchema {
  readonly type:
    | 'string'
    | 'bytes'
    | 'boolean'
    | 'int32'
    | 'int64'
    | 'double'
    | 'quantity'
    | 'intOrString'
    | 'time'
    | 'microTime'
    | 'any'
  /** What `any` is upstream: decides its form in protobuf and, for the parts of CRD schemas (`schemaOr…`), its decoding. Merging treats them all alike. */
  readonly form?:
    | 'rawExtension'
    | 'json'
    | 'fieldsV1'
    | 'schemaOrArray'
    | 'schemaOrBool'
    | 'schemaOrStrings'
    | undefined
}

/** An ordered list. */
export interface ListSchema {
  readonly type: 'list'
  readonly items: Schema
  /** How server-side apply sees it: absent means atomic. */
  readonly listType?: 'map' | 'set' | 'atomic' | undefined
  readonly listMapKeys?: readonly string[] | undefined
  /** Strategic merge patch: the key by which elements are merged; `merge` without a key merges scalars as a set. */
  readonly patchMergeKey?: string | undefined
  readonly patchStrategy?: readonly ('merge' | 'retainKeys')[] | undefined
  /** Protobuf puts the list into a message of its own (ExtraValue). */
  readonly wrapped?: boolean | undefined
}

/** A map from strings. */
export interface MapSchema {
  readonly type: 'map'
  readonly values: Schema
  readonly atomic?: boolean | undefined
  /** Said to be merged by key, which it is anyway: only OpenAPI shows it. */
  readonly granular?: boolean | undefined
}

/** An object with declared fields. */
export interface StructSchema {
  readonly type: 'struct'
  /** The definition's id (io.k8s.api.core.v1.Container), or '' for parts of custom kinds. */
  readonly name: string
  /** In the order of declaration, which is the order on the wire. */
  readonly fields: ReadonlyMap<string, Field>
  readonly atomic?: boolean | undefined
  /** Custom kinds: unknown fields are kept (x-kubernetes-preserve-unknown-fields). */
  readonly preserveUnknown?: boolean | undefined
  /** Custom kinds: an embedded object with its own apiVersion, kind and metadata. */
  readonly embedded?: boolean | undefined
  /** Kinds that upstream stores as JSON: an empty list that is always written stays `[]`; protobuf storage makes it null. */
  readonly keepsEmptyLists?: boolean | undefined
  /** Rules tell an empty map that was sent from an absent one, as they do for lists everywhere. */
  readonly tellsEmptyMaps?: boolean | undefined
  /** Custom kinds: decodes in place of the fields, since their objects are pruned by a schema of their own, and types are validation's work. Told where to put unknown fields. */
  readonly decodeWith?: ((input: object, unknown: string[] | undefined) => Record<string, unknown>) | undefined
  /** The same for what an apply patch made, whose nulls stay for validation to tell of. */
  readonly decodeApplied?: ((input: object) => Record<string, unknown>) | undefined
}

/** A field of a struct. */
export interface Field {
  readonly name: string
  readonly schema: Schema
  readonly required: boolean
  /**
   * When an absent or zero value is left out of JSON, as upstream's Go tags say: `empty` leaves out zero values (omitempty on a plain value), `nil` leaves out only absence
   * (omitempty on a pointer; a zero that was sent stays), `never` always writes it (null for an absent list or map).
   */
  readonly omit: 'empty' | 'nil' | 'never'
  /** A pointer in Go: absent and zero differ, and what is always written is null when absent. */
  readonly pointer?: boolean | undefined
  /** What the server puts in when the field is absent: upstream's `+default=`, a custom kind's declared default; also the default of a list map's key. */
  readonly default?: unknown
  /** The protobuf field number, where there is one. */
  readonly protobuf?: number | undefined
  /** Protobuf: the numbers of the embedded messages around the field, outermost first (JSON has them inline). */
  readonly protobufIn?: readonly number[] | undefined
  /** The Go type that error texts name, where it does not follow from the schema. */
  readonly goType?: string | undefined
  /** Struct fields only: strategic merge patch replaces or retains keys. */
  readonly patchStrategy?: readonly ('replace' | 'merge' | 'retainKeys')[] | undefined
}
