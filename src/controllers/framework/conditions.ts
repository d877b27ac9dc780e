/** What all kinds' conditions have. */
export interface Condition {
  readonly type: string
  readonly status: string
  readonly reason?: string
  readonly message?: string
  readonly lastTransitionTime?: string
}

/** The condition of a type. */
export const conditionOf = <C extends { readonly type: string }>(
  conditions: readonly C[] | undefined,
  type: string,
): C | undefined => conditions?.find((condition) => condition.type === type)

/** Whether the condition of a type is there and 'True'. */
export const isTrue = (
  conditions: readonly { readonly type: string; readonly status: string }[] | undefined,
  type: string,
): boolean => conditionOf(conditions, type)?.status === 'True'

/** The conditions with this one in place of the one of its type; where its status stays, its time of transition stays. */
export function withCondition<C extends Condition>(conditions: readonly C[] | undefined, condition: C): C[] {
  const old = conditionOf(conditions, condition.type)
  const next =
    old && old.status === condition.status && old.lastTransitionTime !== undefined
      ? { ...condition, lastTransitionTime: old.lastTransitionTime }
      : condition
  const list = conditions ?? []
  return old ? list.map((entry) => (entry === old ? next : entry)) : [...list, next]
}

/** The conditions without the one of this type. */
export const withoutCondition = <C extends { readonly type: string }>(
  conditions: readonly C[] | undefined,
  type: string,
): C[] => (conditions ?? []).filter((condition) => condition.type !== type)
