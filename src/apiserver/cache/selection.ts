import type { CachedObject, Selection } from './cache.ts'

/** Whether an object is among those that a list or watch is about. */
export function matches(selection: Selection, object: CachedObject): boolean {
  const { namespace, name, labels, fields } = selection
  if (namespace !== undefined && object.namespace !== namespace) return false
  if (name !== undefined && object.name !== name) return false
  if (labels && !labels(object.labels)) return false
  return !fields || fields((field) => object.field(field))
}

/** The keys among which a selection's objects are: from `from` (inclusive) to `end` (exclusive; absent: to the last). */
export interface KeyScope {
  readonly from: string
  readonly end: string | undefined
}

/** Narrows the keys as far as their order allows. */
export function scopeOf({ namespace, name }: Selection, namespaced: boolean): KeyScope {
  if (!namespaced) return name === undefined ? everything : only(name)
  if (namespace === undefined) return everything
  return name === undefined ? { from: `${namespace}/`, end: `${namespace}0` } : only(`${namespace}/${name}`)
}

/** The key after this one. */
export const keyAfter = (key: string): string => `${key}\0`

const everything: KeyScope = { from: '', end: undefined }
const only = (key: string): KeyScope => ({ from: key, end: keyAfter(key) })
