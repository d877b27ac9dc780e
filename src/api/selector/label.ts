import type { LabelSelector } from '../generated/types/meta-v1.ts'
import type { Frozen } from '../resource.ts'
import { isLabelValue, isQualifiedName } from '../validation/names.ts'

/** How a requirement relates key and values, as the text form writes it. */
export type LabelOperator = '=' | '==' | '!=' | 'in' | 'notin' | 'exists' | '!' | 'gt' | 'lt'

/** One condition of a selector. */
export interface LabelRequirement {
  readonly key: string
  readonly operator: LabelOperator
  readonly values: readonly string[]
}

type Labels = Readonly<Record<string, string>> | undefined

/** Chooses objects by their labels: all requirements must hold; none at all chooses everything. */
export class LabelMatcher {
  readonly requirements: readonly LabelRequirement[]
  readonly #never: boolean

  constructor(requirements: readonly LabelRequirement[], never = false) {
    this.requirements = requirements
    this.#never = never
  }

  /** Chooses every object. */
  get everything(): boolean {
    return !this.#never && this.requirements.length === 0
  }

  /** Chooses no object. */
  get nothing(): boolean {
    return this.#never
  }

  matches(labels: Labels): boolean {
    if (this.#never) return false
    for (const requirement of this.requirements) if (!holds(requirement, labels)) return false
    return true
  }

  /** The text form: 'app=web,tier in (a,b)'. */
  toString(): string {
    return this.requirements.map(requirementText).join(',')
  }
}

/** Chooses everything. */
export const everyLabel: LabelMatcher = new LabelMatcher([])

/** Chooses nothing: what an absent selector means. */
export const noLabel: LabelMatcher = new LabelMatcher([], true)

function holds({ key, operator, values }: LabelRequirement, labels: Labels): boolean {
  const has = labels !== undefined && Object.hasOwn(labels, key)
  const value = has ? labels[key]! : ''
  switch (operator) {
    case '=':
    case '==':
    case 'in':
      return has && values.includes(value)
    case '!=':
    case 'notin':
      return !has || !values.includes(value)
    case 'exists':
      return has
    case '!':
      return !has
    case 'gt':
    case 'lt':
      return (
        has &&
        isInteger(value) &&
        (operator === 'gt' ? BigInt(value) > BigInt(values[0]!) : BigInt(value) < BigInt(values[0]!))
      )
  }
}

const isInteger = (text: string): boolean => /^-?\d+$/.test(text) && text.length <= 20

function requirementText({ key, operator, values }: LabelRequirement): string {
  switch (operator) {
    case 'exists':
      return key
    case '!':
      return `!${key}`
    case 'in':
    case 'notin':
      return `${key} ${operator} (${[...values].sort().join(',')})`
    case 'gt':
      return `${key}>${values[0]}`
    case 'lt':
      return `${key}<${values[0]}`
    default:
      return `${key}${operator}${values[0]}`
  }
}

/** The selector of exactly these labels; absent or empty chooses everything. */
export const matcherOfLabels = (labels: Labels): LabelMatcher =>
  new LabelMatcher(
    Object.entries(labels ?? {})
      .map(([key, value]): LabelRequirement => ({ key, operator: '=', values: [value] }))
      .sort(byKey),
  )

const operators = { In: 'in', NotIn: 'notin', Exists: 'exists', DoesNotExist: '!' } as const

/** The matcher of a selector in an object. Absent chooses nothing, empty everything. Throws upstream's text when it is invalid. */
export function matcherOf(selector: Frozen<LabelSelector> | null | undefined): LabelMatcher {
  if (!selector) return noLabel
  const requirements: LabelRequirement[] = Object.entries(selector.matchLabels ?? {}).map(([key, value]) =>
    checked({ key, operator: '=', values: [value] }),
  )
  for (const { key, operator, values = [] } of selector.matchExpressions ?? []) {
    if (!Object.hasOwn(operators, operator))
      throw new Error(`${JSON.stringify(operator)} is not a valid label selector operator`)
    requirements.push(checked({ key, operator: operators[operator as keyof typeof operators], values }))
  }
  return requirements.length === 0 ? everyLabel : new LabelMatcher(requirements.sort(byKey))
}

/** The order that requirements have in a matcher. */
export const byKey = (a: LabelRequirement, b: LabelRequirement): number => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)

/** The requirement, if it is right; throws upstream's text otherwise. */
export function checked(requirement: LabelRequirement): LabelRequirement {
  const { key, operator, values } = requirement
  const errors: string[] = []
  const invalid = (path: string, value: unknown, why: string) =>
    errors.push(`${path}: Invalid value: ${JSON.stringify(value)}: ${why}`)
  const keyErrors = isQualifiedName(key)
  if (keyErrors.length > 0) invalid('key', key, keyErrors.join('; '))
  if ((operator === 'in' || operator === 'notin') && values.length === 0)
    invalid('values', values, "for 'in', 'notin' operators, values set can't be empty")
  if ((operator === '=' || operator === '==' || operator === '!=') && values.length !== 1)
    invalid('values', values, 'exact-match compatibility requires one single value')
  if ((operator === 'exists' || operator === '!') && values.length > 0)
    invalid('values', values, 'values set must be empty for exists and does not exist')
  if (operator === 'gt' || operator === 'lt') {
    if (values.length !== 1) invalid('values', values, "for 'Gt', 'Lt' operators, exactly one value is required")
    values.forEach((value, i) => {
      if (!isInteger(value)) invalid(`values[${i}]`, value, "for 'Gt', 'Lt' operators, the value must be an integer")
    })
  }
  values.forEach((value, i) => {
    const valueErrors = isLabelValue(value)
    if (valueErrors.length > 0) invalid(`values[${i}][${key}]`, value, valueErrors.join('; '))
  })
  if (errors.length > 0) throw new Error(errors.length === 1 ? errors[0]! : `[${errors.join(', ')}]`)
  return requirement
}
