import { ApiError, badRequest } from '../errors/api-error.ts'
import type { ListSchema, Schema } from '../schema/schema.ts'
import type { Values } from './directives.ts'
import { directive, isMap, orderPrefix, shown, withoutDirectives } from './directives.ts'

/** Merges an element: given, since elements are objects whose merge comes back to lists. */
type MergeElement = (schema: Schema, live: Values, patch: Values) => Values

/** Two lists of a strategic merge patch that become one. */
export interface ListMerge {
  readonly mergeElement: MergeElement
  /** Undefined when elements are only deleted. */
  readonly list: ListSchema | undefined
  readonly live: readonly unknown[]
  readonly patched: readonly unknown[]
  /** The patch lists what to delete. */
  readonly deletes: boolean
}

/** Merges a list: scalars as a set, objects by the merge key. */
export function mergeLists({ list, live, patched, deletes, mergeElement }: ListMerge): readonly unknown[] {
  if (live.length === 0 && patched.length === 0) return live
  const objects = elementKind([live, patched]) === 'map'
  if (deletes && !objects) {
    const gone = new Set(patched)
    return sameList(
      live,
      live.filter((item) => !gone.has(item)),
    )
  }
  const mergeKey = list?.patchMergeKey
  if (!objects)
    return inOrder({
      merged: [...new Set([...live, ...patched])],
      patchOrder: patched,
      liveOrder: live,
      keyOf: itself,
      live,
    })
  if (!mergeKey) throw badRequest('cannot merge lists without merge key for slice')
  const { kept, additions } = followElementDirectives(live, patched as readonly Values[], mergeKey)
  const merged = mergeElements(list!, kept, additions, mergeElement)
  return inOrder({ merged, patchOrder: additions, liveOrder: kept, keyOf: keyBy(mergeKey), live })
}

const itself = (item: unknown): unknown => item

function keyBy(mergeKey: string): (item: unknown) => unknown {
  return (item) => {
    if (isMap(item) && mergeKey in item) return item[mergeKey]
    throw badRequest(`map: ${shown(item)} does not contain declared merge key: ${mergeKey}`)
  }
}

/** `$patch` in elements: `delete` removes the ones with that key, `replace` anywhere in the list replaces it all. */
function followElementDirectives(
  live: readonly unknown[],
  patched: readonly Values[],
  mergeKey: string,
): { readonly kept: readonly unknown[]; readonly additions: readonly Values[] } {
  const keyOf = keyBy(mergeKey)
  const additions: Values[] = []
  let kept = live
  let replaces = false
  for (const element of patched) {
    const kind = element[directive]
    if (kind === undefined) additions.push(element)
    else if (kind === 'replace') replaces = true
    else if (kind === 'merge') throw badRequest('merging lists cannot yet be specified in the patch')
    else if (kind !== 'delete') throw badRequest(`unknown patch type: ${shown(kind)} in map: ${shown(element)}`)
    else {
      const key = keyOf(element)
      kept = kept.filter((item) => !isMap(item) || item[mergeKey] !== key)
    }
  }
  return replaces ? { kept: additions, additions: [] } : { kept, additions }
}

function mergeElements(
  list: ListSchema,
  live: readonly unknown[],
  patched: readonly Values[],
  mergeElement: MergeElement,
): unknown[] {
  const mergeKey = list.patchMergeKey!
  const keyOf = keyBy(mergeKey)
  const out = [...live]
  const places = new Map<unknown, number>()
  out.forEach((item, i) => {
    const key = isMap(item) ? item[mergeKey] : undefined
    if (key !== undefined && !places.has(key)) places.set(key, i)
  })
  for (const element of patched) {
    const key = keyOf(element)
    const at = places.get(key)
    if (at !== undefined) {
      out[at] = mergeElement(list.items, out[at] as Values, element)
      continue
    }
    places.set(key, out.length)
    out.push(element)
  }
  return out
}

/** A list with a `$setElementOrder` directive. */
export interface OrderedList {
  readonly mergeElement: MergeElement
  readonly list: ListSchema
  readonly live: readonly unknown[] | undefined
  readonly patched: readonly unknown[] | undefined
  readonly order: readonly unknown[]
}

/** Merges the patch's list and puts the result into the directive's order. */
export function orderedByDirective({ list, live, patched, order, mergeElement }: OrderedList): readonly unknown[] {
  const mergeKey = list.patchMergeKey
  const keyOf = mergeKey ? keyBy(mergeKey) : itself
  checkOrder(patched ?? [], order, keyOf)
  const merges = list.patchStrategy?.includes('merge')
  const merged = !patched
    ? live!
    : !live
      ? (withoutDirectives(patched) as readonly unknown[])
      : merges
        ? mergeLists({ list, live, patched, deletes: false, mergeElement })
        : patched
  if (merged.length === 0) return merged
  elementKind([live ?? [], patched ?? []])
  return inOrder({ merged, patchOrder: order, liveOrder: live ?? [], keyOf, live: live ?? [] })
}

/** The patch's elements must be in the directive's list, in its order. */
function checkOrder(patched: readonly unknown[], order: readonly unknown[], keyOf: (item: unknown) => unknown): void {
  if (patched.length === 0 || order.length === 0) return
  let at = 0
  for (const item of patched) {
    if (isMap(item) && directive in item) continue
    const key = keyOf(item)
    while (at < order.length && keyOf(order[at]) !== key) at++
    if (at++ >= order.length)
      throw badRequest(
        `The order in patch list:\n${shown(patched)}\n doesn't match ${orderPrefix} list:\n${shown(order)}\n`,
      )
  }
}

interface Ordering {
  readonly merged: readonly unknown[]
  readonly patchOrder: readonly unknown[]
  readonly liveOrder: readonly unknown[]
  readonly keyOf: (item: unknown) => unknown
  /** The list before the patch, which is kept when nothing changed. */
  readonly live: readonly unknown[]
}

/**
 * What the patch names stands in the patch's order, the rest in the live order; an element of the rest comes before the first element of the patch that the live list
 * had behind it.
 */
function inOrder({ merged, patchOrder, liveOrder, keyOf, live }: Ordering): readonly unknown[] {
  const patchPlaces = placesOf(patchOrder, keyOf)
  const livePlaces = placesOf(liveOrder, keyOf)
  const named = merged.filter((item) => patchPlaces.has(keyOf(item)))
  const others = merged.filter((item) => !patchPlaces.has(keyOf(item)))
  const byPlace = (places: Map<unknown, number>) => (a: unknown, b: unknown) =>
    (places.get(keyOf(a)) ?? Infinity) - (places.get(keyOf(b)) ?? Infinity) || 0
  named.sort(byPlace(patchPlaces))
  others.sort(byPlace(livePlaces))
  const out: unknown[] = []
  let next = 0
  for (const item of named) {
    const place = livePlaces.get(keyOf(item))
    while (place !== undefined && next < others.length && (livePlaces.get(keyOf(others[next])) ?? Infinity) < place)
      out.push(others[next++])
    out.push(item)
  }
  return sameList(live, [...out, ...others.slice(next)])
}

function placesOf(list: readonly unknown[], keyOf: (item: unknown) => unknown): Map<unknown, number> {
  const places = new Map<unknown, number>()
  list.forEach((item, i) => {
    const key = keyOf(item)
    if (!places.has(key)) places.set(key, i)
  })
  return places
}

/** The list of before when the new one has the very same elements. */
const sameList = (before: readonly unknown[], after: readonly unknown[]): readonly unknown[] =>
  before.length === after.length && before.every((item, i) => item === after[i]) ? before : after

/** All elements of one kind, and no lists of lists. */
function elementKind(lists: readonly (readonly unknown[])[]): 'map' | 'scalar' {
  let kind: string | undefined
  for (const list of lists) {
    for (const item of list) {
      const own = Array.isArray(item) ? 'list' : isMap(item) ? 'map' : item === null ? 'null' : typeof item
      if (own === 'list')
        throw new ApiError({
          kind: 'Status',
          apiVersion: 'v1',
          metadata: {},
          status: 'Failure',
          message: 'the server rejected our request due to an error in our request',
          reason: 'Invalid',
          details: {},
          code: 422,
        })
      kind ??= own
      if (kind !== own) throw badRequest(`list element types are not identical: ${shown(lists)}`)
    }
  }
  return kind === 'map' ? 'map' : 'scalar'
}
