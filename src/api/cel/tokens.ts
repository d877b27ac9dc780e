import { CelSyntaxError } from './syntax.ts'

/** A sign, word or literal of an expression. */
export interface Token {
  readonly type: 'name' | 'int' | 'uint' | 'double' | 'string' | 'bytes' | 'sign' | 'end'
  readonly text: string
  readonly value?: string | Uint8Array | undefined
  readonly at: number
}

const blank = /(?:\s|\/\/[^\n]*)+/y
const word = /[A-Za-z_][A-Za-z0-9_]*/y
const quotedWord = /`([A-Za-z0-9_.\-/ ]+)`/y
const double = /(?:\d+\.\d+(?:[eE][+-]?\d+)?|\d+[eE][+-]?\d+|\.\d+(?:[eE][+-]?\d+)?)/y
const integer = /(?:0[xX][0-9a-fA-F]+|\d+)[uU]?/y
const opening = /(?:[rR][bB]?|[bB][rR]?)?("""|'''|"|')/y
const signs = [
  '&&',
  '||',
  '==',
  '!=',
  '<=',
  '>=',
  '(',
  ')',
  '[',
  ']',
  '{',
  '}',
  '.',
  ',',
  ':',
  '?',
  '<',
  '>',
  '+',
  '-',
  '*',
  '/',
  '%',
  '!',
]

/** Takes an expression apart. */
export function tokensOf(source: string): Token[] {
  const tokens: Token[] = []
  let at = 0
  const take = (pattern: RegExp): RegExpExecArray | null => {
    pattern.lastIndex = at
    return pattern.exec(source)
  }
  while (at < source.length) {
    const space = take(blank)
    if (space) {
      at += space[0].length
      continue
    }
    const quote = take(opening)
    if (quote) {
      const token = textToken(source, at, quote)
      tokens.push(token)
      at += token.text.length
      continue
    }
    const name = take(word)
    const escaped = name ? null : take(quotedWord)
    const fraction =
      name ||
      escaped ||
      (source[at] === '.' &&
        tokens.at(-1) &&
        /^(?:name|\)|\]|\})$/.test(tokens.at(-1)!.type === 'sign' ? tokens.at(-1)!.text : tokens.at(-1)!.type))
        ? null
        : take(double)
    const number = name || escaped || fraction ? null : take(integer)
    if (name) tokens.push({ type: 'name', text: name[0], at })
    else if (escaped) tokens.push({ type: 'name', text: escaped[1]!, at })
    else if (fraction) tokens.push({ type: 'double', text: fraction[0], at })
    else if (number) tokens.push({ type: /[uU]$/.test(number[0]) ? 'uint' : 'int', text: number[0], at })
    else {
      const sign = signs.find((each) => source.startsWith(each, at))
      if (!sign) throw new CelSyntaxError(`Syntax error: token recognition error at: '${source[at]}'`, at)
      tokens.push({ type: 'sign', text: sign, at })
    }
    at += (name ?? escaped ?? fraction ?? number)?.[0].length ?? tokens.at(-1)!.text.length
  }
  tokens.push({ type: 'end', text: '<EOF>', at: source.length })
  return tokens
}

function textToken(source: string, at: number, [prefix, quote]: RegExpExecArray): Token {
  const raw = /[rR]/.test(prefix.slice(0, -quote!.length))
  const bytes = /[bB]/.test(prefix.slice(0, -quote!.length))
  const start = at + prefix.length
  let end = start
  for (;;) {
    if (end >= source.length || (quote!.length === 1 && source[end] === '\n'))
      throw new CelSyntaxError(`Syntax error: token recognition error at: '${source.slice(at)}'`, at)
    if (source.startsWith(quote!, end)) break
    end += source[end] === '\\' && !raw ? 2 : 1
  }
  const inside = source.slice(start, end)
  const text = source.slice(at, end + quote!.length)
  if (bytes) return { type: 'bytes', text, value: raw ? Buffer.from(inside) : unescapedBytes(inside, at), at }
  return { type: 'string', text, value: raw ? inside : unescaped(inside, at), at }
}

const escapes: Readonly<Record<string, string>> = {
  a: '\u0007',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '?': '?',
  '"': '"',
  "'": "'",
  '`': '`',
}
const escape = /\\(?:[xX][0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-3][0-7]{2}|[\s\S]?)/g

/** What an escape sequence says in digits; undefined for those of one letter. */
function codeOf(sequence: string): number | undefined {
  if (sequence.length <= 2) return undefined
  return /^\\[0-3]/.test(sequence) ? Number.parseInt(sequence.slice(1), 8) : Number.parseInt(sequence.slice(2), 16)
}

function unescaped(text: string, at: number): string {
  return text.replace(escape, (sequence) => {
    const code = codeOf(sequence)
    if (code !== undefined) {
      if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
        throw new CelSyntaxError('invalid unicode code point', at)
      return String.fromCodePoint(code)
    }
    const found = escapes[sequence.slice(1)]
    if (found === undefined) throw new CelSyntaxError(`Syntax error: invalid escape sequence ${sequence}`, at)
    return found
  })
}

/** In bytes, `\x` and octal escapes are bytes, not letters, and there are no others in digits. */
function unescapedBytes(text: string, at: number): Uint8Array {
  const parts: Buffer[] = []
  let last = 0
  for (const match of text.matchAll(escape)) {
    parts.push(Buffer.from(text.slice(last, match.index)))
    const [sequence] = match
    if (/^\\[uU]/.test(sequence)) throw new CelSyntaxError('unable to unescape string', at)
    const code = codeOf(sequence)
    parts.push(Buffer.from(code === undefined ? unescaped(sequence, at) : [code]))
    last = match.index + sequence.length
  }
  return Buffer.concat([...parts, Buffer.from(text.slice(last))])
}
