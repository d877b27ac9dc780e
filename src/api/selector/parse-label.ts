import { isQualifiedName } from '../validation/names.ts'
import { byKey, checked, everyLabel, LabelMatcher, type LabelOperator, type LabelRequirement } from './label.ts'

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
