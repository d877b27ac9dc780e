import { badRequest } from '../../api/errors/api-error.ts'

/** A request's query: values by name, in the order in which they were sent. */
export class Query {
  static readonly empty = new Query(new Map())
  readonly #values: ReadonlyMap<string, readonly string[]>

  private constructor(values: ReadonlyMap<string, readonly string[]>) {
    this.#values = values
  }

  /** Reads what follows the question mark. */
  static parse(text: string): Query {
    if (text === '') return Query.empty
    const values = new Map<string, string[]>()
    for (const pair of text.split('&')) {
      if (pair === '') continue
      const equals = pair.indexOf('=')
      const name = unescaped(equals < 0 ? pair : pair.slice(0, equals))
      const value = equals < 0 ? '' : unescaped(pair.slice(equals + 1))
      // What is not properly encoded is as if it were not there.
      if (name === undefined || value === undefined) continue
      const list = values.get(name)
      if (list) list.push(value)
      else values.set(name, [value])
    }
    return new Query(values)
  }

  /** A query of the in-process transport. */
  static of(values: Readonly<Record<string, string>> | undefined): Query {
    if (!values) return Query.empty
    return new Query(new Map(Object.entries(values).map(([name, value]) => [name, [value]])))
  }

  /** The first value, or undefined. */
  get(name: string): string | undefined {
    return this.#values.get(name)?.[0]
  }

  all(name: string): readonly string[] {
    return this.#values.get(name) ?? []
  }

  has(name: string): boolean {
    return this.#values.has(name)
  }

  names(): Iterable<string> {
    return this.#values.keys()
  }

  /** A flag as upstream's conversion reads it: anything but '', 'false' and '0' is true; a name without a value is true, too. */
  flag(name: string): boolean {
    const value = this.get(name)
    if (value === undefined) return false
    return value !== 'false' && value !== '0' && value.toLowerCase() !== 'false'
  }

  /** A flag that may be left open. */
  optionalFlag(name: string): boolean | undefined {
    return this.has(name) ? this.flag(name) : undefined
  }

  /** A whole number; upstream refuses what does not parse. */
  integer(name: string): number | undefined {
    const value = this.get(name)
    if (value === undefined || value === '') return undefined
    if (!/^[+-]?\d{1,15}$/.test(value))
      throw badRequest(`strconv.ParseInt: parsing ${JSON.stringify(value)}: invalid syntax`)
    return Number(value)
  }
}

function unescaped(text: string): string | undefined {
  if (!text.includes('+') && !text.includes('%')) return text
  try {
    return decodeURIComponent(text.replaceAll('+', ' '))
  } catch {
    return undefined
  }
}
