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

const byKey = (a: LabelRequirement, b: LabelRequirement): number => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0)

/** Throws what is wrong with a requirement; texts are upstream's. */
function checked(requirement: LabelRequirement): LabelRequirement {
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

// ---------------------------------------------------------------- the text form

/** Parses the text form of queries: 'app=web,tier in (a, b),!old'. Throws upstream's text. */
export function parseLabelSelector(text: string): LabelMatcher {
  const requirements = new LabelParser(text).parse()
  return requirements.length === 0 ? everyLabel : new LabelMatcher(requirements.sort(byKey))
}

type Token = 'end' | 'word' | '(' | ')' | ',' | '!' | '=' | '==' | '!=' | '>' | '<' | 'in' | 'notin'

const symbols = new Set<string>(['(', ')', ',', '!', '=', '==', '!=', '>', '<'])
const symbolLetters = /[=!(),><]/

interface Lexeme {
  readonly token: Token
  readonly text: string
}

function lex(text: string): Lexeme[] {
  const out: Lexeme[] = []
  let at = 0
  while (at < text.length) {
    if (/[ \t\r\n]/.test(text[at]!)) {
      at++
      continue
    }
    const start = at
    if (symbolLetters.test(text[at]!)) {
      // The longest run of letters that is a symbol.
      while (
        at < text.length &&
        symbolLetters.test(text[at]!) &&
        (at === start || symbols.has(text.slice(start, at + 1)))
      )
        at++
      out.push({ token: text.slice(start, at) as Token, text: text.slice(start, at) })
      continue
    }
    while (at < text.length && !symbolLetters.test(text[at]!) && !/[ \t\r\n]/.test(text[at]!)) at++
    const word = text.slice(start, at)
    out.push({ token: word === 'in' || word === 'notin' ? word : 'word', text: word })
  }
  return out
}

class LabelParser {
  readonly #lexemes: Lexeme[]
  #at = 0

  constructor(text: string) {
    this.#lexemes = lex(text)
  }

  parse(): LabelRequirement[] {
    const out: LabelRequirement[] = []
    for (;;) {
      const next = this.#peek()
      if (next.token === 'end') return out
      if (next.token !== 'word' && next.token !== '!')
        throw new Error(`found '${next.text}', expected: !, identifier, or 'end of string'`)
      try {
        out.push(this.#requirement())
      } catch (error) {
        throw new Error(`unable to parse requirement: ${(error as Error).message}`, { cause: error })
      }
      const after = this.#take()
      if (after.token === 'end') return out
      if (after.token !== ',') throw new Error(`found '${after.text}', expected: ',' or 'end of string'`)
      const following = this.#peek()
      if (following.token !== 'word' && following.token !== '!')
        throw new Error(`found '${following.text}', expected: identifier after ','`)
    }
  }

  /** Outside of an operator's place 'in' and 'notin' are words like others. */
  #peek(operator = false): Lexeme {
    const next = this.#lexemes[this.#at] ?? { token: 'end', text: '' }
    return !operator && (next.token === 'in' || next.token === 'notin') ? { token: 'word', text: next.text } : next
  }

  #take(operator = false): Lexeme {
    const next = this.#peek(operator)
    this.#at++
    return next
  }

  #requirement(): LabelRequirement {
    let next = this.#take()
    const absent = next.token === '!'
    if (absent) next = this.#take()
    if (next.token !== 'word') throw new Error(`found '${next.text}', expected: identifier`)
    const key = next.text
    const keyErrors = isQualifiedName(key)
    if (keyErrors.length > 0) throw new Error(`key: Invalid value: ${JSON.stringify(key)}: ${keyErrors.join('; ')}`)
    if (absent) return checked({ key, operator: '!', values: [] })
    const after = this.#peek()
    if (after.token === 'end' || after.token === ',') return checked({ key, operator: 'exists', values: [] })
    const operator = this.#operator()
    const values = operator === 'in' || operator === 'notin' ? this.#values() : [this.#value()]
    return checked({ key, operator, values })
  }

  #operator(): LabelOperator {
    const { token, text } = this.#take(true)
    if (token === '>') return 'gt'
    if (token === '<') return 'lt'
    if (token === 'in' || token === 'notin' || token === '=' || token === '==' || token === '!=') return token
    throw new Error(`found '${text}', expected: in, notin, =, ==, !=, gt, lt`)
  }

  #value(): string {
    const next = this.#peek()
    if (next.token === 'end' || next.token === ',') return ''
    this.#take()
    if (next.token !== 'word') throw new Error(`found '${next.text}', expected: identifier`)
    return next.text
  }

  /** '(a,b)'; an empty place between commas is the empty value. */
  #values(): string[] {
    const open = this.#take()
    if (open.token !== '(') throw new Error(`found '${open.text}' expected: '('`)
    const first = this.#peek()
    if (first.token === ')') {
      // Nothing between the parentheses is the empty value.
      this.#take()
      return ['']
    }
    if (first.token !== 'word' && first.token !== ',')
      throw new Error(`found '${first.text}', expected: ',', ')' or identifier`)
    const out = new Set<string>()
    let afterValue = false
    for (;;) {
      const next = this.#take()
      if (next.token === 'word' && !afterValue) {
        out.add(next.text)
        afterValue = true
      } else if (next.token === ',') {
        if (!afterValue) out.add('')
        afterValue = false
        if (this.#peek().token === ')') out.add('')
      } else if (next.token === ')') {
        return [...out]
      } else {
        throw new Error(`found '${next.text}', expected: ',' or ')'`)
      }
    }
  }
}
