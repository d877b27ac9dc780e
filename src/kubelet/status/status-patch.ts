import type { PodCondition, PodStatus } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { ownConditions } from './pod-conditions.ts'

type Fields = Record<string, unknown>

/** Lists that a strategic merge patch merges by address: they are replaced whole. */
const addressLists = new Set(['podIPs', 'hostIPs'])

/** The strategic merge patch that brings the API's status to ours; undefined when nothing differs. Conditions of others are left alone. */
export function statusPatch(uid: string, from: Frozen<PodStatus>, to: Frozen<PodStatus>): object | undefined {
  const [before, after]: [Fields, Fields] = [{ ...from }, { ...to }]
  const status: Fields = {}
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)])) {
    if (name === 'conditions' || same(before[name], after[name])) continue
    if (after[name] === undefined) {
      if (!kept.has(name)) status[name] = null
    } else if (addressLists.has(name) && before[name] !== undefined) {
      status[name] = [{ $patch: 'replace' }, ...(after[name] as readonly object[])]
    } else {
      status[name] = after[name]
    }
  }
  const conditions = conditionsPatch(from.conditions ?? [], to.conditions ?? [])
  if (conditions.length > 0) status['conditions'] = conditions
  return Object.keys(status).length > 0 ? { metadata: { uid }, status } : undefined
}

/** What others write, and what is not taken back when we have nothing to say of it. */
const kept = new Set([
  'nominatedNodeName',
  'resourceClaimStatuses',
  'resize',
  'extendedResourceClaimStatus',
  'podIP',
  'podIPs',
])

function conditionsPatch(before: readonly Frozen<PodCondition>[], after: readonly Frozen<PodCondition>[]): object[] {
  const patch: object[] = []
  for (const condition of after) {
    if (!ownConditions.has(condition.type) && condition.type !== 'DisruptionTarget') continue
    if (
      !same(
        before.find(({ type }) => type === condition.type),
        condition,
      )
    )
      patch.push(condition)
  }
  for (const { type } of before)
    if (ownConditions.has(type) && !after.some((one) => one.type === type)) patch.push({ type, $patch: 'delete' })
  return patch
}

/** Equal as JSON, whatever the order of keys; null and absent are one. */
export function same(a: unknown, b: unknown): boolean {
  if (a === b || (a ?? undefined) === (b ?? undefined)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (Array.isArray(a) !== Array.isArray(b)) return false
  const [left, right] = [a as Fields, b as Fields]
  for (const key of new Set([...Object.keys(left), ...Object.keys(right)]))
    if (!same(left[key], right[key])) return false
  return true
}
