import { deepEqual } from '../schema/values.ts'
import { isEmptyMap, isMap } from './nothing.ts'
import type { ListShape, Shape } from './shape.ts'
import { anyShape, elementStep, pairUp } from './shape.ts'

type Values = Readonly<Record<string, unknown>>

/**
 * The live object with what was applied put over it: leaves of the applied object win, lists with keys and maps are merged part by part. The result shares what did
 * not change with `live`; it is `live` itself when nothing did.
 */
export function mergeApplied(shape: Shape, live: unknown, applied: unknown): unknown {
  if (applied === undefined || applied === live) return live
  if (live === undefined) return applied
  switch (shape.kind) {
    case 'leaf':
    case 'ignored':
      return deepEqual(live, applied) ? live : applied
    case 'list':
      return mergeLists(shape, live, applied)
    default:
      return mergeMaps(shape, live, applied)
  }
}

function mergeMaps(shape: Shape, live: unknown, applied: unknown): unknown {
  const liveParts = isMap(live) ? live : undefined
  const appliedParts = isMap(applied) ? applied : undefined
  if (!liveParts || !appliedParts || isEmptyMap(liveParts) || isEmptyMap(appliedParts))
    return mergeWithNothing(liveParts, live, applied)
  let out: Record<string, unknown> | undefined
  for (const name in appliedParts) {
    const value = appliedParts[name]
    if (value === undefined) continue
    const part = shape.kind === 'struct' ? shape.fields.get(name) : undefined
    const merged = mergeApplied(
      part ? part.shape() : shape.kind === 'map' ? shape.values() : anyShape,
      liveParts[name],
      value,
    )
    if (merged !== liveParts[name]) (out ??= { ...liveParts })[name] = merged
  }
  return out ?? live
}

/** One of the two has no parts: nothing is taken away from what has some, and between two without, the applied one counts. */
function mergeWithNothing(liveParts: Values | undefined, live: unknown, applied: unknown): unknown {
  const nothingApplied = applied === null || (isMap(applied) && isEmptyMap(applied))
  if (nothingApplied && liveParts && !isEmptyMap(liveParts)) return live
  return deepEqual(live, applied) ? live : applied
}

function mergeLists(list: ListShape, live: unknown, applied: unknown): unknown {
  const mine = Array.isArray(live) ? (live as readonly unknown[]) : []
  const theirs = Array.isArray(applied) ? (applied as readonly unknown[]) : []
  if (mine.length === 0) return deepEqual(live, applied) ? live : applied
  if (theirs.length === 0) return live
  const items = list.items()
  const out = pairUp(list, mine, theirs)
    ? mine.map((element, i) => mergeApplied(items, element, theirs[i]))
    : mergeElements(list, mine, theirs)
  return out.length === mine.length && out.every((element, i) => element === mine[i]) ? live : out
}

interface Steps {
  readonly order: readonly string[]
  /** The element of a step; undefined as the value when several live ones share it: then they are not merged with. */
  readonly elements: ReadonlyMap<string, unknown>
}

/**
 * The order of the result: elements that both have stand in the order in which they were applied; live ones that were not applied keep their place relative to
 * the shared ones before them.
 */
function mergeElements(list: ListShape, live: readonly unknown[], applied: readonly unknown[]): unknown[] {
  const left = stepsOf(list, live)
  const right = stepsOf(list, applied)
  const shared = right.order.filter((step) => left.elements.has(step))
  const merged = new Set<string>()
  const out: unknown[] = []
  const take = (step: string) => {
    merged.add(step)
    out.push(mergeApplied(list.items(), left.elements.get(step), right.elements.get(step)))
  }
  let l = 0
  let r = 0
  let nextShared = 0
  while (l < left.order.length || r < right.order.length) {
    const mine = left.order[l]
    const theirs = right.order[r]
    if (mine !== undefined && theirs !== undefined) {
      if (mine === theirs) {
        take(mine)
        l++
        r++
        nextShared++
        continue
      }
      if (right.elements.has(mine) && nextShared < shared.length && shared[nextShared] !== mine) {
        l++ // shared, but its turn comes with the applied order
        continue
      }
    }
    if (mine !== undefined) {
      if (!right.elements.has(mine)) {
        out.push(live[l++])
        continue
      }
      if (merged.has(mine)) l++
    }
    if (theirs !== undefined) {
      take(theirs)
      r++
      if (shared[nextShared] === theirs) nextShared++
    }
  }
  return out
}

function stepsOf(list: ListShape, elements: readonly unknown[]): Steps {
  const order: string[] = []
  const map = new Map<string, unknown>()
  for (const element of elements) {
    const step = elementStep(list, element)
    order.push(step)
    map.set(step, map.has(step) ? undefined : element)
  }
  return { order, elements: map }
}
