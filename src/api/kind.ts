import type { Frozen, KubernetesObject, Resource } from './resource.ts'
import type { StructSchema } from './schema/schema.ts'
import type { FieldErrors } from './validation/field.ts'

/** Who does what when: what some kinds' rules depend on. */
export interface RequestContext {
  readonly nowMs: number
  /** Makes UIDs and random suffixes. */
  readonly uuid: () => string
  readonly user: {
    readonly name: string
    readonly uid?: string
    readonly groups: readonly string[]
    readonly extra?: Readonly<Record<string, readonly string[]>>
  }
  /** What an update is of: '' for the object itself, else 'status', 'scale', 'ephemeralcontainers', 'resize', 'approval', 'finalize' … */
  readonly subresource: string
  /** The labels of a namespace; undefined when there is no such namespace. */
  readonly namespaceLabels: (namespace: string) => Readonly<Record<string, string>> | undefined
  /** Tells the client something whatever becomes of the request; `warnings` of a behaviour are told only when nothing is wrong. */
  readonly warn: (text: string) => void
}

/** Where kinds differ in the rules of metadata that all share. */
export interface MetadataRules {
  /** 'any': finalizers without a domain need not be upstream's own (kinds whose rules live outside upstream's core). */
  readonly finalizers?: 'any'
  /**
   * Which passes over the metadata upstream adds to the common ones when the object itself is updated, so that clients are told errors that often: the rules of a new
   * object, those of a change (the default), both or none.
   */
  readonly onUpdate?: 'object' | 'update' | 'both' | 'none'
  /** 'last': of new objects only what is left when the kind's own rules have found nothing. */
  readonly onCreate?: 'last'
  /** 'verbatim': `generateName` becomes the name as it is. */
  readonly generateName?: 'verbatim'
}

/**
 * What a kind's own file adds to the facts. `object` is a draft that may be changed, already decoded (every field has its schema's type); `old` never changes.
 * Metadata that all kinds share (names, labels, owner references, generation, deletion) is the API server's work, not the kind's.
 */
export interface KindBehaviour<T extends KubernetesObject> {
  /** Fills in what the author left out. Idempotent. Also runs on what patches and apply produce. */
  readonly defaults?: (object: T) => void
  /** Removes what clients cannot set on creation. The status is dropped already where `status` is set and `keepsStatusOnCreate` is not. */
  readonly prepareCreate?: (object: T, context: RequestContext) => void
  /** The same for updates; a main-resource update has the old status already, a status update has everything else of the old object. */
  readonly prepareUpdate?: (object: T, old: Frozen<T>, context: RequestContext) => void
  readonly validate?: (object: Frozen<T>, errors: FieldErrors, context: RequestContext) => void
  /** Rules of an update of the object itself or of a subresource that is stored in it (see `context.subresource`). `validate` is not run in addition. */
  readonly validateUpdate?: (object: Frozen<T>, old: Frozen<T>, errors: FieldErrors, context: RequestContext) => void
  /** Brings an object into its usual form once nothing is wrong with it. */
  readonly canonicalize?: (object: T) => void
  /** Warnings for the client; `subresource` as in the context. */
  readonly warnings?: (object: Frozen<T>, old: Frozen<T> | undefined, subresource: string) => string[]
  /** The kind has a status that only its subresource writes. */
  readonly status?: boolean
  readonly keepsStatusOnCreate?: boolean
  /** Dot paths behind the `scale` subresource. */
  readonly scale?: { readonly replicas: string; readonly statusReplicas: string; readonly selector: string }
  /** The rule for `metadata.name`: what is wrong with it. DNS subdomain when absent. `prefix`: it is a generateName. */
  readonly nameErrors?: (name: string, prefix: boolean) => string[]
  readonly metadata?: MetadataRules
  /** True when the change deserves a new generation. By default: anything but metadata and status differs. False: the kind has no generation. */
  readonly generation?: false | ((object: Frozen<T>, old: Frozen<T>) => boolean)
  /** Field selectors besides metadata.name and metadata.namespace. */
  readonly fields?: Readonly<Record<string, (object: Frozen<T>) => string>>
  /** What the version in which objects are stored calls those fields, where it calls them something else. */
  readonly storedFields?: Readonly<Record<string, string>>
  /** How table rows are made: cells in the order of the facts' columns. By default name and age. */
  readonly row?: (object: Frozen<T>, nowMs: number) => (string | number | boolean | null)[]
  /** What a row says about its object besides the cells: a Pod that is done. */
  readonly rowConditions?: (object: Frozen<T>) => readonly RowCondition[] | undefined
  /** Annotations that metadata-only forms leave out: they are written for fields that are no longer there. */
  readonly hiddenAnnotations?: readonly string[]
  /** The order of rows, where it is not that of names. */
  readonly rowOrder?: (a: Frozen<T>, b: Frozen<T>) => number
  /** Seconds that a deletion waits for the object's own actor (a Pod's kubelet); 0 or absent: removed at once when there are no finalizers. */
  readonly gracePeriodSeconds?: (object: Frozen<T>, asked: number | undefined) => number
  /** An update may create the object (upstream's AllowCreateOnUpdate). */
  readonly createOnUpdate?: boolean
  /** An update needs no resource version (upstream's AllowUnconditionalUpdate, true for most). */
  readonly unconditionalUpdate?: boolean
  /** Finalizers that every new object gets, or other things that are put on it by the server itself. */
  readonly initialFinalizers?: readonly string[]
}

/** A condition of a table row: `Completed` is the only type that there is. */
export interface RowCondition {
  readonly type: 'Completed'
  readonly status: 'True' | 'False' | 'Unknown'
  readonly reason?: string
  readonly message?: string
}

/** A column of a table, from the facts. */
export interface Column {
  readonly name: string
  readonly type: string
  readonly format: string
  readonly priority: number
  /** Custom kinds tell what a column means. */
  readonly description?: string
}

/** A subresource, from the facts. */
export interface Subresource {
  readonly name: string
  readonly verbs: readonly string[]
  readonly responseKind: { readonly group: string; readonly version: string; readonly kind: string }
}

/** How a kind's objects lie in storage, when that is not as they are shown. */
export interface StoredAs<T extends KubernetesObject = KubernetesObject> {
  readonly kind: () => Kind
  readonly toStored: (object: T) => KubernetesObject
  readonly fromStored: (stored: KubernetesObject) => T
  /** Conversions that take time are made beforehand; `toStored` and `fromStored` then find them. */
  readonly prepare?:
    | ((direction: 'toStored' | 'fromStored', objects: readonly Frozen<KubernetesObject>[]) => Promise<void>)
    | undefined
}

/** A kind as the API server works with it: facts, schema and behaviour in one. Custom kinds are made at run time; all else comes from the table. */
export interface Kind<T extends KubernetesObject = KubernetesObject> {
  readonly resource: Resource<T>
  readonly singular: string
  readonly listKind: string
  readonly shortNames: readonly string[]
  readonly categories: readonly string[]
  readonly verbs: readonly string[]
  readonly subresources: readonly Subresource[]
  readonly schema: StructSchema
  readonly columns: readonly Column[]
  readonly behaviour: KindBehaviour<T>
  /** Under which resource and version objects are stored: kinds served in several versions share one. Absent: this one. */
  readonly storedAs?: StoredAs<T>
  /** The key prefix of its objects, as upstream lays them out: '/registry/pods/', '/registry/services/specs/'. */
  readonly storagePrefix: string
  /** A custom kind. */
  readonly custom?: boolean
  /** Every version that a custom kind's definition names. */
  readonly versions?: readonly string[]
  /** What clients are told with every answer: this version will go. */
  readonly deprecation?: string | undefined
}

/** Declares what a kind does; `kinds.ts` puts it into the table. */
export interface KindDefinition {
  readonly resource: Resource
  // The table holds kinds of every type; each definition is checked where it is written.
  readonly behaviour: KindBehaviour<never>
}

/** Declares a kind's behaviour. */
export const defineKind = <T extends KubernetesObject>(
  resource: Resource<T>,
  behaviour: KindBehaviour<T>,
): KindDefinition => ({ resource, behaviour: behaviour as unknown as KindBehaviour<never> })
