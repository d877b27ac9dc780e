import { isIPv4, isIPv6 } from 'node:net'

/** What a rule looks at: 'ip daddr', 'meta l4proto', 'numgen random mod 3' … */
export type Selector = string

/** Where a packet goes next. */
export type Verdict =
  | { readonly to: 'accept' | 'drop' | 'return' | 'continue' }
  | { readonly to: 'jump' | 'goto'; readonly chain: string }

/** One step of a rule. */
export type Statement =
  | {
      readonly kind: 'match'
      readonly selectors: readonly Selector[]
      readonly negated: boolean
      readonly values: readonly string[]
    }
  | {
      readonly kind: 'matchSet'
      readonly selectors: readonly Selector[]
      readonly negated: boolean
      readonly set: string
    }
  | {
      readonly kind: 'vmap'
      readonly selectors: readonly Selector[]
      readonly set?: string
      readonly entries?: ReadonlyMap<string, Verdict>
    }
  | { readonly kind: 'verdict'; readonly verdict: Verdict }
  | { readonly kind: 'reject' | 'masquerade' | 'counter' }
  | { readonly kind: 'mark'; readonly operation: 'set' | 'or' | 'xor' | 'and'; readonly value: number }
  | {
      readonly kind: 'dnat'
      readonly choice?: Selector
      readonly targets: readonly (readonly [choice: string, target: string])[]
    }
  | { readonly kind: 'update'; readonly set: string; readonly selectors: readonly Selector[] }

/** A rule that nft would not parse. */
export class RuleSyntaxError extends Error {
  override name = 'RuleSyntaxError'
}

/** Parses the part of nft's rule language that Kubernode's generators use. */
export function parseRule(text: string): Statement[] {
  const tokens = new Tokens(text)
  const statements: Statement[] = []
  while (!tokens.done()) statements.push(parseStatement(tokens, statements))
  if (statements.length === 0) tokens.fail('an empty rule')
  return statements
}

/** 'goto web', 'drop' … as map elements have it. */
export function parseVerdict(text: string): Verdict {
  const [word = '', chain, ...more] = text.split(' ')
  if ((word === 'jump' || word === 'goto') && chain && more.length === 0) return { to: word, chain }
  if ((word === 'accept' || word === 'drop' || word === 'return' || word === 'continue') && chain === undefined)
    return { to: word }
  throw new RuleSyntaxError(`"${text}" is no verdict`)
}

class Tokens {
  readonly #tokens: readonly string[]
  #at = 0

  constructor(text: string) {
    this.#tokens = text.match(/"[^"]*"|[{},]|[^\s{},]+/g) ?? []
  }

  done(): boolean {
    return this.#at >= this.#tokens.length
  }

  peek(ahead = 0): string {
    return this.#tokens[this.#at + ahead] ?? ''
  }

  next(): string {
    if (this.done()) this.fail('the rule ends too early')
    return this.#tokens[this.#at++]!
  }

  take(token: string): boolean {
    if (this.peek() !== token) return false
    this.#at++
    return true
  }

  expect(token: string): void {
    if (!this.take(token)) this.fail(`expected "${token}"`)
  }

  fail(why: string): never {
    throw new RuleSyntaxError(`syntax error: ${why} at "${this.peek()}" in: ${this.#tokens.join(' ')}`)
  }
}

function parseStatement(tokens: Tokens, before: readonly Statement[]): Statement {
  switch (tokens.peek()) {
    case 'accept':
    case 'drop':
    case 'return':
      return { kind: 'verdict', verdict: parseVerdict(tokens.next()) }
    case 'jump':
    case 'goto':
      return { kind: 'verdict', verdict: parseVerdict(`${tokens.next()} ${tokens.next()}`) }
    case 'reject':
      tokens.next()
      // 'with icmp port-unreachable', 'with tcp reset'
      if (tokens.take('with')) void [tokens.next(), tokens.next()]
      return { kind: 'reject' }
    case 'masquerade':
      tokens.next()
      tokens.take('fully-random')
      return { kind: 'masquerade' }
    case 'counter':
      tokens.next()
      return { kind: 'counter' }
    case 'comment':
      tokens.next()
      if (!tokens.next().startsWith('"')) tokens.fail('a comment is a string')
      return { kind: 'counter' }
    case 'dnat':
      return parseDnat(tokens, before)
    case 'update':
      return parseUpdate(tokens)
    case 'meta':
      return tokens.peek(1) === 'mark' && tokens.peek(2) === 'set' ? parseMark(tokens) : parseMatch(tokens)
    default:
      return parseMatch(tokens)
  }
}

function parseMark(tokens: Tokens): Statement {
  for (const word of ['meta', 'mark', 'set']) tokens.expect(word)
  if (!tokens.take('meta')) return { kind: 'mark', operation: 'set', value: parseNumber(tokens) }
  tokens.expect('mark')
  const operation = tokens.next()
  if (operation !== 'or' && operation !== 'xor' && operation !== 'and') tokens.fail('expected or, xor or and')
  return { kind: 'mark', operation, value: parseNumber(tokens) }
}

function parseNumber(tokens: Tokens): number {
  const value = Number(tokens.next())
  if (!Number.isSafeInteger(value)) tokens.fail('expected a number before')
  return value
}

function parseUpdate(tokens: Tokens): Statement {
  tokens.expect('update')
  const set = tokens.next()
  if (!set.startsWith('@')) tokens.fail('expected a set before')
  tokens.expect('{')
  const selectors = parseSelectors(tokens)
  tokens.expect('}')
  return { kind: 'update', set: set.slice(1), selectors }
}

function parseDnat(tokens: Tokens, before: readonly Statement[]): Statement {
  tokens.expect('dnat')
  const concatenated = tokens.take('ip') || tokens.take('ip6')
  tokens.expect('to')
  const knowsProtocol = before.some(
    (statement) =>
      statement.kind === 'match' &&
      statement.selectors.some((selector) => /^(meta l4proto|(th|tcp|udp|sctp) [ds]port)$/.test(selector)),
  )
  const check = (target: string) => {
    const { address, port } = splitTarget(target)
    if (!isIPv4(address) && !isIPv6(address)) tokens.fail(`"${address}" is no address`)
    if (port !== undefined && !knowsProtocol)
      throw new RuleSyntaxError('transport protocol mapping is only valid after transport protocol match')
    return target
  }
  if (!concatenated || tokens.peek() !== 'numgen') return { kind: 'dnat', targets: [['', check(tokens.next())]] }
  const choice = parseSelector(tokens)
  tokens.expect('map')
  const targets: (readonly [string, string])[] = []
  for (const [key, words] of parseEntries(tokens)) {
    const [address = '', dot, port] = words
    if (dot !== '.' || port === undefined) tokens.fail('a target is "address . port"')
    targets.push([key, check(isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`)])
  }
  return { kind: 'dnat', choice, targets }
}

/** '10.0.0.1:80', '[fd00::1]:80', '10.0.0.1' */
export function splitTarget(target: string): { address: string; port?: number } {
  const bracketed = /^\[(.*)\]:(\d+)$/.exec(target)
  if (bracketed) return { address: bracketed[1]!, port: Number(bracketed[2]) }
  if (isIPv6(target)) return { address: target }
  const [address = '', port] = target.split(':')
  return { address, ...(port !== undefined && { port: Number(port) }) }
}

/** '{ 0 : goto a, 1 : goto b }' */
function parseEntries(tokens: Tokens): [string, string[]][] {
  tokens.expect('{')
  const entries: [string, string[]][] = []
  do {
    const key: string[] = []
    while (tokens.peek() !== ':') key.push(tokens.next())
    tokens.expect(':')
    const words: string[] = []
    while (tokens.peek() !== ',' && tokens.peek() !== '}') words.push(tokens.next())
    if (entries.some(([known]) => known === key.join(' '))) tokens.fail(`two elements of key ${key.join(' ')}`)
    entries.push([key.join(' '), words])
  } while (tokens.take(','))
  tokens.expect('}')
  return entries
}

function parseMatch(tokens: Tokens): Statement {
  const selectors = parseSelectors(tokens)
  if (tokens.take('vmap')) {
    if (tokens.peek().startsWith('@')) return { kind: 'vmap', selectors, set: tokens.next().slice(1) }
    return {
      kind: 'vmap',
      selectors,
      entries: new Map(parseEntries(tokens).map(([key, words]) => [key, parseVerdict(words.join(' '))])),
    }
  }
  // 'meta mark and 0x4000 == 0'
  if (selectors.length === 1 && tokens.peek() === 'and') {
    tokens.next()
    const mask = parseNumber(tokens)
    const negated = tokens.take('!=')
    if (!negated) tokens.expect('==')
    return { kind: 'match', selectors: [`${selectors[0]} and ${mask}`], negated, values: [String(parseNumber(tokens))] }
  }
  const negated = tokens.take('!=')
  tokens.take('==')
  if (tokens.peek().startsWith('@')) return { kind: 'matchSet', selectors, negated, set: tokens.next().slice(1) }
  return { kind: 'match', selectors, negated, values: parseValues(tokens) }
}

function parseValues(tokens: Tokens): string[] {
  const value = () => tokens.next().replace(/^"(.*)"$/, '$1')
  if (!tokens.take('{')) return [value(), ...(tokens.take(',') ? [value()] : [])]
  const values = [value()]
  while (tokens.take(',')) values.push(value())
  tokens.expect('}')
  return values
}

function parseSelectors(tokens: Tokens): Selector[] {
  const selectors = [parseSelector(tokens)]
  while (tokens.take('.')) selectors.push(parseSelector(tokens))
  return selectors
}

/** The selectors of two words, by their first. */
const selectorWords: Readonly<Record<string, readonly string[]>> = {
  ip: ['saddr', 'daddr'],
  ip6: ['saddr', 'daddr'],
  meta: ['l4proto', 'mark', 'nfproto'],
  th: ['dport', 'sport'],
  tcp: ['dport', 'sport'],
  udp: ['dport', 'sport'],
  sctp: ['dport', 'sport'],
  ct: ['state', 'status'],
}

function parseSelector(tokens: Tokens): Selector {
  const word = tokens.next()
  if (word === 'iifname' || word === 'oifname') return word
  if (word === 'fib') {
    const address = tokens.next()
    tokens.expect('type')
    if (address !== 'saddr' && address !== 'daddr') tokens.fail('expected saddr or daddr before')
    return `fib ${address} type`
  }
  if (word === 'numgen') {
    tokens.expect('random')
    tokens.expect('mod')
    return `numgen random mod ${parseNumber(tokens)}`
  }
  const second = tokens.next()
  if (!selectorWords[word]?.includes(second)) tokens.fail(`"${word} ${second}" is not known before`)
  return `${word} ${second}`
}
