import {
  CORE_SCHEMA,
  DUMP_SCHEMA,
  NOT_RESOLVED,
  YAMLException,
  defineMappingTag,
  defineScalarTag,
  dump,
  load,
  mapTag,
  mergeTag,
  nullYaml11Tag,
} from 'js-yaml'
import { depthMax, SyntaxProblem } from './json.ts'

/*
 * YAML as upstream's converter reads it: neither 1.1 nor 1.2, hence tags of our own. `0644` is octal, `1e3` a number, `yes` and `y` are true, dates are strings.
 */

/** Without underscores; then as Go's ParseInt reads numbers whose base is in their prefix. */
function resolveInteger(source: string): number | bigint | typeof NOT_RESOLVED {
  const plain = source.replaceAll('_', '')
  const match = /^([-+]?)(0[xX][\da-fA-F]+|0[oO]?[0-7]+|0[bB][01]+|0|[1-9]\d*)$/.exec(plain)
  if (!match) return NOT_RESOLVED
  const digits = /^0[0-7]+$/.test(match[2]!) ? `0o${match[2]!.slice(1)}` : match[2]!
  const value = match[1] === '-' ? -BigInt(digits.toLowerCase()) : BigInt(digits.toLowerCase())
  // What no 64 bits hold becomes a floating-point number.
  if (value >= 2n ** 64n || value < -(2n ** 63n)) return Number(value)
  const number = Number(value)
  return Number.isSafeInteger(number) ? number : value
}

function resolveFloat(source: string): number | typeof NOT_RESOLVED {
  if (/^[-+]?\.(?:inf|Inf|INF)$|^\.(?:nan|NaN|NAN)$/.test(source))
    throw new SyntaxProblem(`json: unsupported value: ${source}`)
  const plain = source.replaceAll('_', '')
  return /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/.test(plain) ? Number(plain) + 0 : NOT_RESOLVED
}

const digits = [...'-+0123456789']

const intTag = defineScalarTag('tag:yaml.org,2002:int', {
  implicit: true,
  implicitFirstChars: digits,
  resolve: resolveInteger,
  identify: (value) => Number.isInteger(value),
})
const floatTag = defineScalarTag('tag:yaml.org,2002:float', {
  implicit: true,
  implicitFirstChars: [...digits, '.'],
  resolve: resolveFloat,
  identify: (value) => typeof value === 'number',
})
const trueWords = new Set(['y', 'Y', 'yes', 'Yes', 'YES', 'true', 'True', 'TRUE', 'on', 'On', 'ON'])
const falseWords = new Set(['n', 'N', 'no', 'No', 'NO', 'false', 'False', 'FALSE', 'off', 'Off', 'OFF'])
const boolTag = defineScalarTag('tag:yaml.org,2002:bool', {
  implicit: true,
  implicitFirstChars: [...'yYnNtTfFoO'],
  resolve: (source) => (trueWords.has(source) ? true : falseWords.has(source) ? false : NOT_RESOLVED),
  identify: (value) => typeof value === 'boolean',
})
/** JSON has no bytes: upstream makes a string of them. */
const binaryTag = defineScalarTag('tag:yaml.org,2002:binary', {
  resolve: (source) => Buffer.from(source.replace(/\s/g, ''), 'base64').toString('utf8'),
  identify: () => false,
})
const timestampTag = defineScalarTag('tag:yaml.org,2002:timestamp', {
  resolve: (source) => source,
  identify: () => false,
})
/** JSON's keys are strings: numbers and booleans become their text, nothing else can. */
const keyedMapTag = defineMappingTag<object>('tag:yaml.org,2002:map', {
  ...(mapTag as Parameters<typeof defineMappingTag<object>>[1]),
  addPair: (carrier, key, value) =>
    key === null
      ? 'unsupported map key of type null'
      : (mapTag.addPair as (c: object, k: unknown, v: unknown) => string)(carrier, key, value),
})

const schema = CORE_SCHEMA.withTags(
  nullYaml11Tag,
  boolTag,
  intTag,
  floatTag,
  binaryTag,
  timestampTag,
  mergeTag,
  keyedMapTag,
)

/** Aliases that one document may use, and values that they may stand for: a few lines of YAML must not become gigabytes. */
const aliasesMax = 10_000
const aliasedValuesMax = 1_000_000

/** How a document is read. */
export interface YamlOptions {
  /** A repeated key is an error; otherwise the last one wins. */
  readonly strict?: boolean
}

/** The first document of a text: the API reads no more of a body. Throws a SyntaxProblem. */
export const parseYaml = (text: string, options: YamlOptions = {}): unknown =>
  numbersOf(loadDocument(firstDocument(text), options))

/** All documents of a text; empty ones are left out. */
export const parseYamlDocuments = (text: string, options: YamlOptions = {}): unknown[] =>
  splitDocuments(text)
    .map((document) => numbersOf(loadDocument(document, options)))
    .filter((value) => value !== null && value !== undefined)

/** The first document as JSON text: exact where a number of JavaScript is not (integers above 2^53). */
export function yamlToJson(text: string, options: YamlOptions = {}): string {
  const value = loadDocument(firstDocument(text), options)
  return JSON.stringify(value, (_, inner) => (typeof inner === 'bigint' ? exactNumber(inner) : inner)) ?? 'null'
}

/** The keys of the first document that stand twice in one map, in upstream's words: `line 4: key "c" already set in map`. */
export function duplicateYamlKeys(text: string): string[] {
  const found: string[] = []
  let document = firstDocument(text)
  for (;;) {
    const mark = firstDuplicate(document)
    // The library says where the text of a key begins, which may be behind a quote.
    const start = mark && mark.position - (/["']/.test(mark.buffer[mark.position - 1] ?? '') ? 1 : 0)
    const key = mark && keyAt.exec(mark.buffer.slice(start))?.[0]
    if (!mark || key === undefined) return found
    found.push(`line ${mark.line + 1}: key ${JSON.stringify(key.replace(/^(["'])(.*)\1$/s, '$2'))} already set in map`)
    if (found.length >= movesMax || found.length * text.length > movedBytesMax) return found
    // Under another name, so that the next one is found.
    document = `${mark.buffer.slice(0, start)}duplicate ${found.length} of ${text.length}${mark.buffer.slice(start! + key.length)}`
  }
}

/** What strict decoding says of them all. */
export const duplicatesText = (duplicates: readonly string[]): string =>
  `yaml: unmarshal errors:\n${duplicates.map((text) => `  ${text}`).join('\n')}`

/** A key where it begins: quoted or plain. */
const keyAt = /^(?:"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s:][^\n]*?(?=\s*:))/

function firstDuplicate(text: string): Mark | undefined {
  try {
    loadDocument(text, { strict: true })
    return undefined
  } catch (error) {
    const { cause } = error as { cause?: unknown }
    return cause instanceof YAMLException && cause.reason === 'duplicated mapping key'
      ? (cause.mark as Mark | undefined)
      : undefined
  }
}

/** Where the library found something: in the text that it read, which may have lines moved. */
interface Mark {
  readonly buffer: string
  readonly position: number
  readonly line: number
}

/** YAML text of an object, with its keys sorted as upstream's converter leaves them. */
export const formatYaml = (value: unknown): string =>
  dump(value, {
    schema: DUMP_SCHEMA,
    sortKeys: true,
    noRefs: true,
    lineWidth: -1,
    seqNoIndent: true,
    skipInvalid: true,
  })

function loadDocument(text: string, { strict = false }: YamlOptions): unknown {
  let value: unknown
  try {
    value = loadLenient(text, strict)
  } catch (error) {
    if (error instanceof YAMLException && error.reason === 'expected a document, but the input is empty') return null
    // Its reader and composer are recursive: deep maps may run out of stack before they are too deep.
    if (error instanceof RangeError || (error instanceof YAMLException && error.reason.startsWith('nesting exceeded')))
      throw new SyntaxProblem(`yaml: exceeded max depth of ${depthMax}`, { cause: error })
    if (error instanceof YAMLException)
      throw new SyntaxProblem(`yaml: line ${(error.mark?.line ?? 0) + 1}: ${error.reason}`, { cause: error })
    throw error
  }
  if (text.includes('*')) checkSize(value)
  return value
}

/** How often, and for how much text in all, a document is read again with a line moved. */
const movesMax = 100
const movedBytesMax = 8 * 1024 * 1024

/**
 * Upstream's parser lets the lines of a flow collection or a quoted scalar begin anywhere, as many manifests have a closing bracket below its key; the library's does not.
 * Leading space means nothing there, so a line that it finds too far to the left is moved to the right.
 */
function loadLenient(text: string, strict: boolean): unknown {
  let moved = text
  for (let moves = 0; ; moves++) {
    try {
      return load(moved, { schema, json: !strict, maxDepth: depthMax, maxAliases: aliasesMax })
    } catch (error) {
      const line =
        error instanceof YAMLException && error.reason === 'deficient indentation' ? error.mark?.line : undefined
      if (line === undefined || moves >= movesMax || (moves + 1) * text.length > movedBytesMax) throw error
      const lines = moved.split('\n')
      lines[line] = ' '.repeat(indentMax) + lines[line]!.trimStart()
      moved = lines.join('\n')
    }
  }
}

/** Deeper than any manifest is indented. */
const indentMax = 200

/** Counts what aliases stand for as often as they stand for it. */
function checkSize(value: unknown): void {
  let count = 0
  const visit = (inner: unknown): void => {
    if (typeof inner !== 'object' || inner === null) return
    for (const child of Object.values(inner)) {
      if (++count > aliasedValuesMax) throw new SyntaxProblem('yaml: document contains excessive aliasing')
      visit(child)
    }
  }
  visit(value)
}

/** Replaces large integers by numbers. */
function numbersOf(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  if (Array.isArray(value)) return value.map(numbersOf)
  if (typeof value !== 'object' || value === null) return value
  for (const [key, inner] of Object.entries(value)) {
    if (typeof inner !== 'bigint' && typeof inner !== 'object') continue
    Object.defineProperty(value, key, { value: numbersOf(inner), enumerable: true, writable: true, configurable: true })
  }
  return value
}

/** A number for JSON.stringify that JavaScript's own cannot hold (not in the compiler's library yet). */
const exactNumber = (value: bigint): unknown =>
  (JSON as unknown as { rawJSON(text: string): unknown }).rawJSON(String(value))

const firstDocument = (text: string): string => splitDocuments(text, true)[0] ?? ''

/** Cuts at the lines of three dashes; what stands before the first one is a document if it is more than comments. */
function splitDocuments(text: string, firstOnly = false): string[] {
  if (!text.includes('---') && !text.includes('...')) return [text]
  const documents: string[] = []
  let current: string[] = []
  let begun = false
  const finish = () => {
    if (begun) documents.push(current.join('\n'))
    current = []
    begun = false
  }
  for (const line of text.split('\n')) {
    const marker = /^(---|\.\.\.)(?=[ \t\r]|$)/.exec(line)?.[1]
    if (marker) {
      finish()
      if (firstOnly && documents.length > 0) return documents
      // Lines are kept as they are, so that errors name the right one.
      current = [marker === '---' ? line.slice(3) : '']
      begun = marker === '---'
      continue
    }
    if (!begun && /^\s*(?:[#%]|$)/.test(line)) continue
    begun = true
    current.push(line)
  }
  finish()
  return documents
}
