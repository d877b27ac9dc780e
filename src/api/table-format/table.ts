import { badRequest } from '../errors/api-error.ts'
import type { ListMeta } from '../generated/types/meta-v1.ts'
import type { Column, Kind, RowCondition } from '../kind.ts'
import type { Frozen, KubernetesObject } from '../resource.ts'
import type { Cell } from './cells.ts'
import { age, name } from './cells.ts'
import type { MetaVersion, PartialObjectMetadata } from './partial-object.ts'
import { partialObject } from './partial-object.ts'

/** What a row carries besides its cells. */
export type IncludeObject = 'None' | 'Metadata' | 'Object'

/** A column's head. */
interface ColumnDefinition {
  readonly name: string
  readonly type: string
  readonly format: string
  readonly description: string
  readonly priority: number
}

/** A row: an object's cells, and as much of the object as was asked for. */
export interface TableRow {
  readonly cells: readonly Cell[]
  readonly conditions?: readonly RowCondition[]
  readonly object: PartialObjectMetadata | Frozen<KubernetesObject> | null
}

/** Objects as kubectl prints them. */
export interface Table {
  readonly kind: 'Table'
  readonly apiVersion: string
  readonly metadata: Frozen<ListMeta>
  /** Null in watch events after the first: the head is sent once. */
  readonly columnDefinitions: readonly ColumnDefinition[] | null
  /** Null instead of empty for kinds without a row of their own, as upstream has it. */
  readonly rows: readonly TableRow[] | null
}

/** How a table is made. */
export interface TableOptions {
  readonly nowMs: number
  /** 'Metadata' by default. */
  readonly include?: IncludeObject | undefined
  readonly version?: MetaVersion | undefined
  /** A list's; for one object only its resource version counts. */
  readonly metadata?: Frozen<ListMeta> | undefined
  /** Leaves out the head: later events of a watch. */
  readonly noHead?: boolean | undefined
}

/** The `includeObject` parameter of a query. */
export function includeObjectOf(value: string | null | undefined): IncludeObject {
  if (!value) return 'Metadata'
  if (value === 'None' || value === 'Metadata' || value === 'Object') return value
  throw badRequest(
    `includeObject: Invalid value: ${JSON.stringify(value)}: must be 'Metadata', 'Object', 'None', or empty`,
  )
}

/** A table of objects of a kind: a list's, or with one row an object's or a watch event's. */
export function newTable(kind: Kind, objects: readonly Frozen<KubernetesObject>[], options: TableOptions): Table {
  const order = kind.behaviour.rowOrder
  const sorted = order && objects.length > 1 ? [...objects].sort(order) : objects
  const table = tableWithoutRows(kind, { ...options, metadata: options.metadata ?? metadataOf(objects) })
  return {
    ...table,
    rows: sorted.length === 0 && isPlain(kind) ? null : sorted.map((object) => newRow(kind, object, options)),
  }
}

/** A table's frame, for who adds the rows one by one. They come last. */
export const tableWithoutRows = (kind: Kind, options: TableOptions): Table => ({
  kind: 'Table',
  apiVersion: `meta.k8s.io/${options.version ?? 'v1'}`,
  metadata: options.metadata ?? {},
  columnDefinitions: options.noHead ? null : columnDefinitions(kind),
  rows: [],
})

const metadataOf = ([object]: readonly Frozen<KubernetesObject>[]): Frozen<ListMeta> =>
  object?.metadata?.resourceVersion ? { resourceVersion: object.metadata.resourceVersion } : {}

/** One object's row. */
export function newRow(
  kind: Kind,
  object: Frozen<KubernetesObject>,
  { nowMs, include = 'Metadata', version }: TableOptions,
): TableRow {
  const cells = cellsOf(kind, object, nowMs)
  const conditions = kind.behaviour.rowConditions?.(object)
  const part = include === 'None' ? null : include === 'Object' ? object : partialObject(kind, object, version)
  return conditions ? { cells, conditions, object: part } : { cells, object: part }
}

const cellsOf = (kind: Kind, object: Frozen<KubernetesObject>, nowMs: number): readonly Cell[] =>
  kind.behaviour.row ? kind.behaviour.row(object, nowMs) : plainRow(kind, object, nowMs)

const longerMs = [10_000, 60_000]
const shorterMs = [500, 200]

/**
 * A time before which an object's row stays as it is now: a row depends on time only by durations, which never take back a text that they have left. So
 * cells that will be the same then are the same until then.
 */
export function rowHoldsUntil(kind: Kind, object: Frozen<KubernetesObject>, nowMs: number): number {
  const now = JSON.stringify(cellsOf(kind, object, nowMs))
  const holds = (ms: number) => JSON.stringify(cellsOf(kind, object, nowMs + ms)) === now
  if (!holds(1000)) return nowMs + (shorterMs.find(holds) ?? 0)
  let held = 1000
  for (const ms of longerMs) {
    if (!holds(ms)) break
    held = ms
  }
  return nowMs + held
}

/** Kinds without a row of their own show their name and when they were made. */
const isPlain = (kind: Kind): boolean =>
  !kind.behaviour.row && kind.columns.some((column) => column.name === 'Created At')

const plainRow = (kind: Kind, object: Frozen<KubernetesObject>, nowMs: number): Cell[] =>
  kind.columns.map((column) =>
    column.format === 'name'
      ? name(object)
      : column.name === 'Age'
        ? age(object, nowMs)
        : column.name === 'Created At'
          ? (object.metadata?.creationTimestamp ?? null)
          : '',
  )

const heads = new WeakMap<readonly Column[], readonly ColumnDefinition[]>()

/** The head of a kind's table. */
function columnDefinitions(kind: Kind): readonly ColumnDefinition[] {
  let head = heads.get(kind.columns)
  if (!head)
    heads.set(
      kind.columns,
      (head = kind.columns.map(({ name: title, type, format, priority, description }) => ({
        name: title,
        type,
        format,
        description: description ?? descriptions[title] ?? `${title}: what the object's own fields say.`,
        priority,
      }))),
    )
  return head
}

/** What a column says, where its name does not say it all. */
const descriptions: Readonly<Record<string, string>> = {
  Name: 'The name of the object, unique among those of its kind in its namespace.',
  Age: 'How long ago the object was created.',
  'Created At': 'When the object was created, as the server saw it.',
  // Upstream says nothing here.
  Handler: '',
}
