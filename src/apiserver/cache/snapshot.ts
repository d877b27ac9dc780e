import { OrderedMap } from '../../base/ordered-map.ts'
import type { Selection } from './cache.ts'
import type { Indices } from './indices.ts'
import { keyAfter, matches, scopeOf } from './selection.ts'
import type { StoredObject } from './stored-object.ts'

/** What a page is read from. */
export interface Source {
  readonly objects: OrderedMap<StoredObject>
  readonly indices: Indices
  readonly namespaced: boolean
  /** What was changed after the revision that is read, each as it was then; empty for the present. */
  readonly undo: ReadonlyMap<string, StoredObject | undefined>
}

/** Which page. */
export interface PageOptions {
  readonly selection: Selection
  readonly after: string | undefined
  readonly limit: number
}

/** A page of the objects of a selection, in key order. */
export interface Page {
  readonly entries: readonly StoredObject[]
  readonly more: boolean
  readonly remaining: number | undefined
}

/** Reads a page. */
export function pageOf(source: Source, options: PageOptions): Page {
  const { selection, after, limit } = options
  const entries: StoredObject[] = []
  let more = false
  const indexed = source.undo.size === 0 ? indexedKeys(source, selection) : undefined
  // What is read in the order of keys is in the namespace already.
  const { name, labels, fields } = selection
  const wanted: Selection = indexed || !source.namespaced ? selection : { name, labels, fields }
  const take = (object: StoredObject): boolean => {
    if (!matches(wanted, object)) return true
    if (entries.length >= limit) {
      more = true
      return false
    }
    entries.push(object)
    return true
  }
  if (indexed) {
    for (const key of indexed) if ((after === undefined || key > after) && !take(source.objects.get(key)!)) break
  } else scanPast(source, options, take)
  const selective = selection.labels !== undefined || selection.fields !== undefined
  return {
    entries,
    more,
    remaining: more && !selective ? countAfter(source, selection, entries.at(-1)!.key) : undefined,
  }
}

function indexedKeys({ objects, indices, namespaced }: Source, selection: Selection): string[] | undefined {
  if (!selection.fieldEquals && !selection.labelEquals) return undefined
  const { from, end } = scopeOf(selection, namespaced)
  return indices.keysFor(selection, () => objects.count(from, end))
}

/** Visits the objects in order as they were: those changed since in their earlier state, those deleted since in their place. */
function scanPast(
  { objects, undo, namespaced }: Source,
  { selection, after }: PageOptions,
  take: (object: StoredObject) => boolean,
): void {
  const scope = scopeOf(selection, namespaced)
  const from = after !== undefined && after >= scope.from ? keyAfter(after) : scope.from
  const inScope = (key: string) => key >= from && (scope.end === undefined || key < scope.end)
  const gone = [...undo]
    .filter(([key, object]) => object && inScope(key) && !objects.has(key))
    .map(([key]) => key)
    .sort()
    .reverse()
  let going = true
  const takeGone = (before: string | undefined) => {
    while (going && gone.length > 0 && (before === undefined || gone.at(-1)! < before))
      going = take(undo.get(gone.pop()!)!)
  }
  objects.scan(from, scope.end, (object, key) => {
    if (gone.length > 0) takeGone(key)
    if (!going) return false
    const then = undo.size > 0 && undo.has(key) ? undo.get(key) : object
    if (then) going = take(then)
    return going
  })
  takeGone(undefined)
}

/** How many objects come after a key, as it was. */
function countAfter({ objects, undo, namespaced }: Source, selection: Selection, key: string): number {
  const { end } = scopeOf(selection, namespaced)
  const from = keyAfter(key)
  let count = objects.count(from, end)
  for (const [changed, object] of undo) {
    if (changed < from || (end !== undefined && changed >= end)) continue
    count += (object ? 1 : 0) - (objects.has(changed) ? 1 : 0)
  }
  return count
}
