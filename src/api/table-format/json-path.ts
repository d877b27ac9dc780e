/**
 * The JSON paths of printer columns: `.spec.replicas`, `.metadata.labels['a\.b']`, `.status.conditions[?(@.type=="Ready")].status`, `.items[0]`, `[*]`, `[-1:]`.
 * A path is compiled once to steps, each of which turns the values found so far into those below them.
 */
type Step = (values: readonly unknown[]) => unknown[]

type Values = Readonly<Record<string, unknown>>

/** How long a path may be: longer ones are no columns. */
const lengthMax = 1000

/** Compiles a path to a function that finds what is there. Throws a SyntaxError for what is no path. */
export function compileJsonPath(path: string): (value: unknown) => readonly unknown[] {
  if (path.length > lengthMax) throw new SyntaxError(`JSON path is longer than ${lengthMax} characters`)
  const steps = new PathParser(path).steps()
  return (value) => steps.reduce<readonly unknown[]>((values, step) => step(values), [value])
}

class PathParser {
  readonly #text: string
  #at = 0

  constructor(text: string) {
    this.#text = text
  }

  steps(): Step[] {
    const steps: Step[] = []
    if (this.#text[0] === '$' || this.#text[0] === '@') this.#at++
    while (this.#at < this.#text.length) {
      const letter = this.#text[this.#at]
      if (letter === '[') steps.push(this.#brackets())
      else if (letter === '.') steps.push(this.#dot())
      else if (steps.length === 0 && this.#at === 0) steps.push(field(this.#name()))
      else throw new SyntaxError(`unexpected ${JSON.stringify(letter)} in JSON path ${this.#text}`)
    }
    return steps
  }

  #dot(): Step {
    this.#at++
    if (this.#text[this.#at] === '.') {
      this.#at++
      return this.#text[this.#at] === '[' || this.#at === this.#text.length
        ? descendants
        : then(descendants, field(this.#name()))
    }
    if (this.#text[this.#at] === '[' || this.#at === this.#text.length) return (values) => [...values]
    const name = this.#name()
    return name === '*' ? children : field(name)
  }

  /** A name up to the next dot or bracket; a backslash takes away what the next letter means. */
  #name(): string {
    let out = ''
    while (this.#at < this.#text.length && !'.['.includes(this.#text[this.#at]!)) {
      if (this.#text[this.#at] === '\\') this.#at++
      out += this.#text[this.#at++] ?? ''
    }
    return out
  }

  #brackets(): Step {
    const end = closingBracket(this.#text, this.#at)
    const inside = this.#text.slice(this.#at + 1, end).trim()
    this.#at = end + 1
    if (inside.startsWith('?(') && inside.endsWith(')')) return filter(inside.slice(2, -1).trim())
    const parts = splitOutsideQuotes(inside, ',')
    if (parts.length > 1) return union(parts.map((part) => bracketPart(part.trim())))
    return bracketPart(inside)
  }
}

function closingBracket(text: string, from: number): number {
  let depth = 0
  let quote = ''
  for (let i = from; i < text.length; i++) {
    const letter = text[i]!
    if (quote) {
      if (letter === '\\') i++
      else if (letter === quote) quote = ''
    } else if (letter === '"' || letter === "'") quote = letter
    else if (letter === '[') depth++
    else if (letter === ']' && --depth === 0) return i
  }
  throw new SyntaxError(`unterminated array in JSON path ${text}`)
}

function splitOutsideQuotes(text: string, separator: string): string[] {
  const out: string[] = []
  let quote = ''
  let start = 0
  for (let i = 0; i < text.length; i++) {
    const letter = text[i]!
    if (quote) {
      if (letter === '\\') i++
      else if (letter === quote) quote = ''
    } else if (letter === '"' || letter === "'") quote = letter
    else if (text.startsWith(separator, i)) {
      out.push(text.slice(start, i))
      start = i + separator.length
      i = start - 1
    }
  }
  return [...out, text.slice(start)]
}

function bracketPart(text: string): Step {
  if (text === '*') return children
  const quoted = /^(['"])(.*)\1$/s.exec(text)
  if (quoted) return field(quoted[2]!.replace(/\\(.)/gs, '$1'))
  const range = /^(-?\d*)(?::(-?\d*))?(?::(-?\d*))?$/.exec(text)
  if (!range) throw new SyntaxError(`invalid array index ${text}`)
  const [, from = '', to, by] = range
  if (to === undefined) return element(from === '' ? 0 : Number(from))
  return slice(from === '' ? undefined : Number(from), to === '' ? undefined : Number(to), by ? Number(by) : 1)
}

const isMap = (value: unknown): value is Values => typeof value === 'object' && value !== null && !Array.isArray(value)

const then =
  (first: Step, second: Step): Step =>
  (values) =>
    second(first(values))

const field =
  (name: string): Step =>
  (values) =>
    values.flatMap((value) => (isMap(value) && Object.hasOwn(value, name) ? [value[name]] : []))

const union =
  (steps: readonly Step[]): Step =>
  (values) =>
    steps.flatMap((step) => step(values))

const children: Step = (values) =>
  values.flatMap((value) => (Array.isArray(value) ? (value as unknown[]) : isMap(value) ? Object.values(value) : []))

/** How many values a search through everything finds. */
const foundMax = 10_000

const descendants: Step = (values) => {
  const out: unknown[] = [...values]
  for (let i = 0; i < out.length && out.length < foundMax; i++) out.push(...children([out[i]]))
  return out
}

const element =
  (index: number): Step =>
  (values) =>
    values.flatMap((value) => {
      const at = Array.isArray(value) && index < 0 ? index + value.length : index
      return Array.isArray(value) && at >= 0 && at < value.length ? [value[at] as unknown] : []
    })

const slice =
  (from: number | undefined, to: number | undefined, by: number): Step =>
  (values) =>
    values.flatMap((value) =>
      Array.isArray(value) ? (value.slice(from, to) as unknown[]).filter((_, i) => by > 0 && i % by === 0) : [],
    )

const operators = ['==', '!=', '<=', '>=', '<', '>'] as const

/** `@.type=="Ready"`, `@.port > 80`, `@.name`. */
function filter(text: string): Step {
  for (const operator of operators) {
    const [left, right, ...more] = splitOutsideQuotes(text, operator)
    if (right === undefined || more.length > 0) continue
    const a = operand(left!.trim())
    const b = operand(right.trim())
    return select((value) => compare(a(value), b(value), operator))
  }
  const path = operand(text)
  return select((value) => path(value).length > 0)
}

const select =
  (chooses: (value: unknown) => boolean): Step =>
  (values) =>
    values.flatMap((value) => (Array.isArray(value) ? (value as unknown[]).filter(chooses) : []))

function operand(text: string): (value: unknown) => readonly unknown[] {
  if (text.startsWith('@') || text.startsWith('$')) return compileJsonPath(text)
  const quoted = /^(['"])(.*)\1$/s.exec(text)
  const literal = quoted
    ? quoted[2]!.replace(/\\(.)/gs, '$1')
    : text === 'true'
      ? true
      : text === 'false'
        ? false
        : Number(text)
  if (Number.isNaN(literal)) throw new SyntaxError(`unrecognized operand ${text}`)
  return () => [literal]
}

function compare([a]: readonly unknown[], [b]: readonly unknown[], operator: (typeof operators)[number]): boolean {
  if (a === undefined || b === undefined || typeof a !== typeof b) return false
  if (operator === '==') return a === b
  if (operator === '!=') return a !== b
  if ((typeof a !== 'number' && typeof a !== 'string') || (typeof b !== 'number' && typeof b !== 'string')) return false
  return operator === '<' ? a < b : operator === '>' ? a > b : operator === '<=' ? a <= b : a >= b
}
