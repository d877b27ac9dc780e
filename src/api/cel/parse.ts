import { CelSyntaxError, type Node } from './syntax.ts'
import { tokensOf, type Token } from './tokens.ts'

/** How deep an expression may be nested, and how long it may be. */
const depthMax = 250
const lengthMax = 100_000

const reserved = new Set(
  'as break const continue else for function if import let loop package namespace return var void while'.split(' '),
)

/** Reads an expression. Throws a CelSyntaxError. */
export function parse(source: string): Node {
  if (source.length > lengthMax)
    throw new CelSyntaxError(`expression code point size exceeds limit: size: ${source.length}, limit ${lengthMax}`, 0)
  const parser = new Parser(tokensOf(source))
  return parser.whole()
}

/** Binary operators, by how tightly they bind. */
const levels: readonly (readonly string[])[] = [
  ['<', '<=', '>=', '>', '==', '!=', 'in'],
  ['+', '-'],
  ['*', '/', '%'],
]

class Parser {
  readonly #tokens: readonly Token[]
  #next = 0
  #depth = 0

  constructor(tokens: readonly Token[]) {
    this.#tokens = tokens
  }

  whole(): Node {
    const node = this.#expression()
    if (this.#peek().type !== 'end') this.#unexpected()
    return node
  }

  #peek(): Token {
    return this.#tokens[this.#next]!
  }

  #is(text: string): boolean {
    const token = this.#peek()
    return token.text === text && (token.type === 'sign' || text === 'in')
  }

  #accept(text: string): Token | undefined {
    return this.#is(text) ? this.#tokens[this.#next++] : undefined
  }

  #expect(text: string): Token {
    return this.#accept(text) ?? this.#unexpected(`expecting '${text}'`)
  }

  #unexpected(why = ''): never {
    const { text, type, at } = this.#peek()
    throw new CelSyntaxError(
      `Syntax error: mismatched input '${type === 'end' ? '<EOF>' : text}'${why && ` ${why}`}`,
      at,
    )
  }

  #expression(): Node {
    if (++this.#depth > depthMax)
      throw new CelSyntaxError(`expression recursion limit exceeded: ${depthMax}`, this.#peek().at)
    const condition = this.#or()
    const mark = this.#accept('?')
    let node = condition
    if (mark) {
      const then = this.#or()
      this.#expect(':')
      node = { op: 'if', at: mark.at, condition, then, else: this.#expression() }
    }
    this.#depth--
    return node
  }

  #or(): Node {
    let left = this.#and()
    for (let sign = this.#accept('||'); sign; sign = this.#accept('||'))
      left = { op: 'or', at: sign.at, left, right: this.#and() }
    return left
  }

  #and(): Node {
    let left = this.#binary(0)
    for (let sign = this.#accept('&&'); sign; sign = this.#accept('&&'))
      left = { op: 'and', at: sign.at, left, right: this.#binary(0) }
    return left
  }

  #binary(level: number): Node {
    const operators = levels[level]
    if (!operators) return this.#unary()
    let left = this.#binary(level + 1)
    for (;;) {
      const operator = operators.find((each) => this.#is(each))
      if (!operator) return left
      const { at } = this.#tokens[this.#next++]!
      left = {
        op: 'call',
        at,
        name: operator === 'in' ? '@in' : `_${operator}_`,
        target: undefined,
        args: [left, this.#binary(level + 1)],
      }
    }
  }

  #unary(): Node {
    const sign = this.#accept('!') ?? this.#accept('-')
    if (!sign) return this.#member()
    const next = this.#peek()
    if (sign.text === '-' && (next.type === 'int' || next.type === 'double') && next.at === sign.at + 1) {
      this.#next++
      return this.#suffixes(numberNode(next, sign.at, '-'))
    }
    if (++this.#depth > depthMax) throw new CelSyntaxError(`expression recursion limit exceeded: ${depthMax}`, sign.at)
    const of = this.#unary()
    this.#depth--
    return { op: 'call', at: sign.at, name: sign.text === '!' ? '!_' : '-_', target: undefined, args: [of] }
  }

  #member(): Node {
    return this.#suffixes(this.#primary())
  }

  #suffixes(start: Node): Node {
    let node = start
    for (;;) {
      const dot = this.#accept('.')
      if (dot) {
        const optional = this.#accept('?') !== undefined
        const name = this.#peek()
        if (name.type !== 'name') this.#unexpected('expecting IDENTIFIER')
        this.#next++
        if (!optional && this.#is('(')) {
          const { at } = this.#peek()
          node = { op: 'call', at, name: name.text, target: node, args: this.#arguments() }
        } else node = { op: 'select', at: dot.at, of: node, field: name.text, optional }
        continue
      }
      const bracket = this.#accept('[')
      if (bracket) {
        const optional = this.#accept('?') !== undefined
        const index = this.#expression()
        this.#expect(']')
        node = { op: 'index', at: bracket.at, of: node, index, optional }
        continue
      }
      const type = this.#is('{') ? typeNameOf(node) : undefined
      if (type === undefined) return node
      node = this.#object(type, this.#peek().at)
    }
  }

  #arguments(): Node[] {
    this.#expect('(')
    const args: Node[] = []
    if (this.#accept(')')) return args
    do args.push(this.#expression())
    while (this.#accept(','))
    this.#expect(')')
    return args
  }

  #primary(): Node {
    const token = this.#peek()
    this.#next++
    switch (token.type) {
      case 'int':
      case 'uint':
      case 'double':
        return numberNode(token, token.at, '')
      case 'string':
      case 'bytes':
        return { op: 'literal', at: token.at, value: token.value! }
      case 'name':
        return this.#named(token)
      case 'sign':
        if (token.text === '(') {
          const node = this.#expression()
          this.#expect(')')
          return node
        }
        if (token.text === '[') return this.#list(token.at)
        if (token.text === '{') return this.#map(token.at)
        // A leading dot only says that the name is not one of an inner scope.
        if (token.text === '.') return this.#primary()
    }
    this.#next--
    return this.#unexpected()
  }

  #named(token: Token): Node {
    const { text, at } = token
    if (text === 'true' || text === 'false') return { op: 'literal', at, value: text === 'true' }
    if (text === 'null') return { op: 'literal', at, value: null }
    if (reserved.has(text)) throw new CelSyntaxError(`reserved identifier: ${text}`, at)
    if (text === 'in') {
      this.#next--
      this.#unexpected()
    }
    if (!this.#is('(')) return { op: 'name', at, name: text }
    const { at: callAt } = this.#peek()
    return { op: 'call', at: callAt, name: text, target: undefined, args: this.#arguments() }
  }

  #list(at: number): Node {
    const items: { value: Node; optional: boolean }[] = []
    while (!this.#accept(']')) {
      const optional = this.#accept('?') !== undefined
      items.push({ value: this.#expression(), optional })
      if (this.#accept(',')) continue
      this.#expect(']')
      break
    }
    return { op: 'list', at, items }
  }

  #map(at: number): Node {
    const entries: { key: Node; value: Node; optional: boolean }[] = []
    while (!this.#accept('}')) {
      const optional = this.#accept('?') !== undefined
      const key = this.#expression()
      this.#expect(':')
      entries.push({ key, value: this.#expression(), optional })
      if (this.#accept(',')) continue
      this.#expect('}')
      break
    }
    return { op: 'map', at, entries }
  }

  #object(type: string, at: number): Node {
    this.#expect('{')
    const fields: { name: string; value: Node; optional: boolean; at: number }[] = []
    while (!this.#accept('}')) {
      const optional = this.#accept('?') !== undefined
      const name = this.#peek()
      if (name.type !== 'name') this.#unexpected('expecting IDENTIFIER')
      this.#next++
      this.#expect(':')
      fields.push({ name: name.text, value: this.#expression(), optional, at: name.at })
      if (this.#accept(',')) continue
      this.#expect('}')
      break
    }
    return { op: 'object', at, type, fields }
  }
}

/** 'Object.spec' of names joined by dots; undefined for anything else. */
function typeNameOf(node: Node): string | undefined {
  if (node.op === 'name') return node.name
  if (node.op !== 'select' || node.optional) return undefined
  const of = typeNameOf(node.of)
  return of && `${of}.${node.field}`
}

const intMax = 2n ** 63n
const uintMax = 2n ** 64n

function numberNode({ type, text }: Token, at: number, sign: '' | '-'): Node {
  if (type === 'double') return { op: 'literal', at, value: Number(sign + text) }
  if (type === 'uint') {
    const uint = BigInt(text.slice(0, -1))
    if (uint >= uintMax) throw new CelSyntaxError('invalid uint literal', at)
    return { op: 'literal', at, value: { uint } }
  }
  const value = sign ? -BigInt(text) : BigInt(text)
  if (value >= intMax || value < -intMax) throw new CelSyntaxError('invalid int literal', at)
  return { op: 'literal', at, value }
}
