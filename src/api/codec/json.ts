/** The deepest nesting that is read: twice what anyone needs, and less than what makes JSON.stringify run out of stack. */
export const depthMax = 2000

/** The input is no JSON, or not of a shape that can be read. The message is worded as upstream's. */
export class SyntaxProblem extends Error {
  override name = 'SyntaxProblem'
}

/** Parses JSON of limited depth; a text that is none is refused in the words of upstream's decoder. The size is limited where the body is read. */
export function parseJson(text: string): unknown {
  let value: unknown
  try {
    value = JSON.parse(text.includes('\\u') ? wellFormed(text) : text)
  } catch (error) {
    throw new SyntaxProblem(syntaxMessage(text), { cause: error })
  }
  // Nesting takes at least a letter a level on either side, so that most bodies need not be looked at.
  if (text.length > 2 * depthMax && depthOf(text) > depthMax) throw new SyntaxProblem('exceeded max depth')
  if (maybeTooLarge.test(text) && hasInfinity(value))
    throw new SyntaxProblem(`json: cannot unmarshal number ${tooLargeIn(text)} into Go value of type float64`)
  return value
}

/** What looks like the end of a number that only its exponent could make larger than a double. */
const maybeTooLarge = /[eE]\+?\d{3,}\s*[,\]}]/

/** JSON.parse takes such a number for infinity, which JSON.stringify would write as null. */
const hasInfinity = (value: unknown): boolean =>
  typeof value === 'object' && value !== null
    ? Object.values(value).some(hasInfinity)
    : value === Infinity || value === -Infinity

const tooLargeIn = (text: string): string =>
  (text.match(/-?\d[\d.]*[eE]\+?\d{3,}/g) ?? []).find((number) => !Number.isFinite(Number(number))) ?? ''

/** Escapes in JSON; the first group is half of a surrogate pair that stands alone. */
const escapes = /\\u[dD][89abAB][\da-fA-F]{2}\\u[dD][c-fC-F][\da-fA-F]{2}|(\\u[dD][89a-fA-F][\da-fA-F]{2})|\\./g

/** Halves of surrogate pairs become the replacement character, as in Go: UTF-8 has no place for them, so the object would be another once it was written. */
const wellFormed = (text: string): string =>
  text.replace(escapes, (escape, half: string | undefined) => (half ? '\\ufffd' : escape))

const quote = 0x22
const backslash = 0x5c

/** Where the string that begins at `start` ends: the index of its closing quote. */
function endOfString(text: string, start: number): number {
  let end = start
  for (;;) {
    end = text.indexOf('"', end + 1)
    let slashes = 0
    while (text.charCodeAt(end - 1 - slashes) === backslash) slashes++
    if (slashes % 2 === 0) return end
  }
}

/** The nesting of valid JSON. */
function depthOf(text: string): number {
  let depth = 0
  let deepest = 0
  for (let i = 0; i < text.length; i++) {
    const letter = text.charCodeAt(i)
    if (letter === quote) i = endOfString(text, i)
    else if (letter === 0x7b || letter === 0x5b) deepest = Math.max(deepest, ++depth)
    else if (letter === 0x7d || letter === 0x5d) depth--
  }
  return deepest
}

/** What a scanner of duplicates knows of the shape at a place: enough to skip what upstream decodes elsewhere. */
export interface Shape {
  /** False: what is inside is not looked at. */
  readonly inside: boolean
  field(name: string): Shape
  item(): Shape
}

interface Level {
  /** Absent in lists. */
  readonly keys: Set<string> | undefined
  readonly shape: Shape
  name: string
  index: number
}

/** Whether valid JSON repeats a key somewhere: it has more keys than what was parsed from it. Much cheaper than finding out which. */
export function hasDuplicates(text: string, parsed: unknown): boolean {
  let keys = 0
  for (let start = text.indexOf('"'); start >= 0;) {
    let after = endOfString(text, start) + 1
    while (text.charCodeAt(after) <= 0x20) after++
    if (text.charCodeAt(after) === 0x3a) keys++
    start = text.indexOf('"', after)
  }
  return keys !== keysIn(parsed)
}

function keysIn(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0
  let count = 0
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) count += keysIn(value[i])
    return count
  }
  for (const key in value) count += 1 + keysIn((value as Record<string, unknown>)[key])
  return count
}

/**
 * The paths of the keys that valid JSON repeats within one object, each once: 'spec.containers[0].image'. JSON.parse keeps the last silently, so the text must be read again.
 */
export function duplicateFields(text: string, shape: Shape): string[] {
  const levels: Level[] = []
  const found = new Set<string>()
  let level: Level | undefined
  let next = shape
  let expectsKey = false
  for (let i = 0; i < text.length; i++) {
    switch (text.charCodeAt(i)) {
      case quote: {
        const end = endOfString(text, i)
        if (expectsKey) {
          const raw = text.slice(i + 1, end)
          const name: string = raw.includes('\\') ? JSON.parse(text.slice(i, end + 1)) : raw
          level!.name = name
          if (level!.keys!.has(name)) found.add(pathOf(levels))
          else level!.keys!.add(name)
          next = level!.shape.field(name)
          expectsKey = false
        }
        i = end
        break
      }
      case 0x7b: // {
      case 0x5b: // [
        if (!next.inside) {
          i = endOfValue(text, i)
          break
        }
        expectsKey = text.charCodeAt(i) === 0x7b
        level = { keys: expectsKey ? new Set() : undefined, shape: next, name: '', index: 0 }
        levels.push(level)
        if (!expectsKey) next = level.shape.item()
        break
      case 0x7d: // }
      case 0x5d: // ]
        levels.pop()
        level = levels.at(-1)
        expectsKey = false
        break
      case 0x2c: // ,
        expectsKey = level?.keys !== undefined
        if (level && !expectsKey) {
          level.index++
          next = level.shape.item()
        }
        break
    }
  }
  return [...found]
}

/** The last letter of the object or list that begins at `start`. */
function endOfValue(text: string, start: number): number {
  let depth = 0
  for (let i = start; i < text.length; i++) {
    const letter = text.charCodeAt(i)
    if (letter === quote) i = endOfString(text, i)
    else if (letter === 0x7b || letter === 0x5b) depth++
    else if ((letter === 0x7d || letter === 0x5d) && --depth === 0) return i
  }
  return text.length
}

const pathOf = (levels: readonly Level[]): string =>
  levels.reduce((path, { keys, name, index }) => (keys ? (path ? `${path}.${name}` : name) : `${path}[${index}]`), '')

// ---------------------------------------------------------------- what is wrong with a text

/** Finds the first mistake in a text that is no JSON. */
export function syntaxMessage(text: string): string {
  try {
    new Checker(text).whole()
  } catch (error) {
    if (error instanceof SyntaxProblem) return error.message
    throw error
  }
  return 'invalid JSON'
}

/** A checker of JSON that goes by Go's grammar and words. Only runs on texts that JSON.parse refused. */
class Checker {
  readonly #text: string
  #at = 0
  #depth = 0

  constructor(text: string) {
    this.#text = text
  }

  whole(): void {
    this.#value()
    this.#space()
    if (this.#at < this.#text.length) this.#fail('after top-level value')
  }

  #value(): void {
    this.#space()
    const letter = this.#text[this.#at]
    if (letter === '{') this.#list('}', 'object key:value pair', () => this.#pair())
    else if (letter === '[') this.#list(']', 'array element', () => this.#value())
    else if (letter === '"') this.#string()
    else if (letter === 't') this.#word('true')
    else if (letter === 'f') this.#word('false')
    else if (letter === 'n') this.#word('null')
    else if (letter !== undefined && /[-\d]/.test(letter)) this.#number()
    else this.#fail('looking for beginning of value')
  }

  #list(end: string, what: string, element: () => void): void {
    if (++this.#depth > depthMax) throw new SyntaxProblem('exceeded max depth')
    this.#at++
    this.#space()
    if (this.#text[this.#at] === end) this.#at++
    else {
      for (;;) {
        element()
        this.#space()
        const letter = this.#text[this.#at]
        if (letter !== end && letter !== ',') this.#fail(`after ${what}`)
        this.#at++
        if (letter === end) break
      }
    }
    this.#depth--
  }

  #pair(): void {
    this.#space()
    if (this.#text[this.#at] !== '"') this.#fail('looking for beginning of object key string')
    this.#string()
    this.#space()
    if (this.#text[this.#at] !== ':') this.#fail('after object key')
    this.#at++
    this.#value()
  }

  #string(): void {
    for (this.#at++; ; this.#at++) {
      const letter = this.#text[this.#at]
      if (letter === '"') break
      if (letter === '\\') {
        this.#at++
        if (this.#text[this.#at] === 'u') {
          for (let i = 0; i < 4; i++)
            if (!/[\da-f]/i.test(this.#text[++this.#at] ?? '')) this.#fail('in \\u hexadecimal character escape')
        } else if (!/["\\/bfnrt]/.test(this.#text[this.#at] ?? '')) this.#fail('in string escape code')
      } else if (letter === undefined || letter < ' ') this.#fail('in string literal')
    }
    this.#at++
  }

  #word(word: string): void {
    for (let i = 0; i < word.length; i++, this.#at++)
      if (this.#text[this.#at] !== word[i]) this.#fail(`in literal ${word} (expecting '${word[i]}')`)
  }

  #number(): void {
    if (this.#text[this.#at] === '-') this.#digits('in numeric literal', /[-]/)
    if (this.#text[this.#at] === '0') this.#at++
    else this.#digits('in numeric literal')
    if (this.#text[this.#at] === '.') {
      this.#at++
      this.#digits('after decimal point in numeric literal')
    }
    if (/[eE]/.test(this.#text[this.#at] ?? '')) {
      this.#at++
      if (/[-+]/.test(this.#text[this.#at] ?? '')) this.#at++
      this.#digits('in exponent of numeric literal')
    }
  }

  /** At least one digit; with `sign`, only that sign before them. */
  #digits(where: string, sign?: RegExp): void {
    if (sign) {
      this.#at++
      if (!/\d/.test(this.#text[this.#at] ?? '')) this.#fail(where)
      return
    }
    if (!/\d/.test(this.#text[this.#at] ?? '')) this.#fail(where)
    while (/\d/.test(this.#text[this.#at] ?? '')) this.#at++
  }

  #space(): void {
    while (/[ \t\r\n]/.test(this.#text[this.#at] ?? '')) this.#at++
  }

  #fail(where: string): never {
    const letter = this.#text[this.#at]
    if (letter === undefined) throw new SyntaxProblem('unexpected end of JSON input')
    const shown = letter === "'" ? "'\\''" : letter === '"' ? `'"'` : `'${JSON.stringify(letter).slice(1, -1)}'`
    throw new SyntaxProblem(`invalid character ${shown} ${where}`)
  }
}
