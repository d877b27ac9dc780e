import { union } from './field-set.ts'
import type { Manager } from './managers.ts'
import { sameManager, secondsOf } from './managers.ts'

/** How many updaters an object remembers, as upstream. */
const updatersMax = 10

/** Who owns what the oldest updaters owned. */
const ancient = 'ancient-changes'

/** Merges the oldest updaters, one entry a version, until no more than ten are left. Appliers are never merged. */
export function capManagers(managers: readonly Manager[]): readonly Manager[] {
  if (managers.length <= updatersMax) return managers
  const updaters = managers.filter(({ operation }) => operation === 'Update')
  if (updaters.length <= updatersMax) return managers
  updaters.sort((a, b) => secondsOf(a) - secondsOf(b) || (a.name < b.name ? -1 : 1))
  let out = [...managers]
  const firsts = new Map<string, Manager>()
  for (let i = 0, count = updaters.length; i < updaters.length && count > updatersMax; i++) {
    const updater = updaters[i]!
    const first = firsts.get(updater.apiVersion)
    if (!first) {
      firsts.set(updater.apiVersion, updater)
      continue
    }
    const bucket: Manager = {
      name: ancient,
      operation: 'Update',
      apiVersion: updater.apiVersion,
      subresource: '',
      time: updater.time,
      fields: first.fields,
    }
    const there = out.find((manager) => sameManager(manager, bucket))
    const gone = there ?? first
    out = out.filter((manager) => manager !== updater && manager !== gone)
    out.push({ ...bucket, fields: union(updater.fields, (there ?? bucket).fields) })
    count--
  }
  return out
}
