/** The selectors that objects have, asked as they are. Who asks the same one of many objects makes a matcher of it first: `matcherOf` in label.ts. */
import type { LabelSelector } from '../generated/types/meta-v1.ts'
import type { Frozen } from '../resource.ts'
import { holds } from './requirement.ts'

type Labels = Readonly<Record<string, string>> | undefined
type Selector = Frozen<LabelSelector> | null | undefined

/** Whether labels fit a selector; an absent selector fits nothing, an empty one everything. */
export function selects(selector: Selector, labels: Labels): boolean {
  if (!selector) return false
  for (const key in selector.matchLabels) if (labels?.[key] !== selector.matchLabels[key]) return false
  return (selector.matchExpressions ?? []).every(({ key, operator, values }) => holds(operator, values, labels?.[key]))
}

/** Whether a selector is there and asks for nothing. */
export const selectsAll = (selector: Selector): boolean =>
  !!selector && !selector.matchExpressions?.length && Object.keys(selector.matchLabels ?? {}).length === 0

/** Whether labels fit a plain map, as Services and ReplicationControllers have it; an empty map fits nothing. */
export function selectsMap(wanted: Labels, labels: Labels): boolean {
  const keys = Object.keys(wanted ?? {})
  return keys.length > 0 && keys.every((key) => labels?.[key] === wanted?.[key])
}

/** A selector in the syntax of queries, by key: 'app=web,tier in (a,b),!old'. Nothing for an absent one. */
export function selectorText(selector: Selector): string {
  const parts = Object.entries(selector?.matchLabels ?? {}).map(([key, value]) => ({ key, text: `${key}=${value}` }))
  for (const { key, operator, values = [] } of selector?.matchExpressions ?? []) {
    const list = `(${[...values].sort().join(',')})`
    const texts = { In: `${key} in ${list}`, NotIn: `${key} notin ${list}`, Exists: key, DoesNotExist: `!${key}` }
    if (Object.hasOwn(texts, operator)) parts.push({ key, text: texts[operator as keyof typeof texts] })
  }
  return parts
    .sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0))
    .map(({ text }) => text)
    .join(',')
}
