import type { LabelSelector } from '../../api/generated/types/meta-v1.ts'
import type { Frozen } from '../../api/resource.ts'

type LabelMap = Readonly<Record<string, string>> | undefined

/** Whether labels fit a selector; an absent selector fits nothing, an empty one everything. */
export function selects(selector: Frozen<LabelSelector> | undefined, labels: LabelMap): boolean {
  if (!selector) return false
  for (const key in selector.matchLabels) if (labels?.[key] !== selector.matchLabels[key]) return false
  return (selector.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
    const value = labels?.[key]
    switch (operator) {
      case 'In':
        return value !== undefined && values.includes(value)
      case 'NotIn':
        return value === undefined || !values.includes(value)
      case 'Exists':
        return value !== undefined
      case 'DoesNotExist':
        return value === undefined
      default:
        return false
    }
  })
}

/** The selector asks for nothing. */
export const selectsAll = (selector: Frozen<LabelSelector> | undefined): boolean =>
  selector !== undefined &&
  Object.keys(selector.matchLabels ?? {}).length === 0 &&
  (selector.matchExpressions ?? []).length === 0

/** Whether labels fit a plain map, as Services and ReplicationControllers have it; an empty map fits nothing. */
export function selectsMap(wanted: LabelMap, labels: LabelMap): boolean {
  const keys = Object.keys(wanted ?? {})
  return keys.length > 0 && keys.every((key) => labels?.[key] === wanted?.[key])
}

/** A selector in the text form that status fields and list queries have. */
export function selectorText(selector: Frozen<LabelSelector>): string {
  const parts = Object.entries(selector.matchLabels ?? {}).map(([key, value]) => ({ key, text: `${key}=${value}` }))
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    const list = [...values].sort().join(',')
    const text = { In: `${key} in (${list})`, NotIn: `${key} notin (${list})`, Exists: key, DoesNotExist: `!${key}` }[
      operator
    ]
    if (text) parts.push({ key, text })
  }
  return parts
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ text }) => text)
    .join(',')
}
