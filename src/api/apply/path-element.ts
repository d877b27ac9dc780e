/**
 * Steps of a field path as `fieldsV1` writes them: `f:name` a field or map key, `k:{"name":"x"}` a list element by its keys, `v:"x"` an element of a set, `i:0` an
 * element by its index. As text the way conflicts show them: `.name`, `[name="x"]`, `[="x"]`, `[0]`.
 */

/** The order of kinds of steps in a set, as upstream sorts them; `.` (the node itself) stands first. */
const rank: Readonly<Record<string, number>> = { '.': 0, f: 1, k: 2, v: 3, i: 4 }

/** Letters that Go's JSON encoder escapes and JSON.stringify does not. */
const escaped = /[<>&\u2028\u2029]/g

const escape = (letter: string): string => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`

/** JSON as upstream's encoder writes it inside of a step. */
export function stepJson(value: unknown): string {
  const json = JSON.stringify(value) ?? 'null'
  return escaped.test(json) ? json.replace(escaped, escape) : json
}

/** The step to an element of a set. */
export const valueStep = (value: unknown): string => `v:${stepJson(value)}`

/** Compares two steps in upstream's canonical order. */
export function compareSteps(left: string, right: string): number {
  if (left === right) return 0
  const kind = left[0]
  if (kind !== right[0]) return (rank[kind ?? ''] ?? 9) - (rank[right[0] ?? ''] ?? 9)
  if (kind === 'f') return left < right ? -1 : 1
  if (kind === 'i') return Number(left.slice(2)) - Number(right.slice(2))
  const leftValue = parsed(left)
  const rightValue = parsed(right)
  if (kind === 'k') return compareKeys(leftValue, rightValue)
  return compareValues(leftValue, rightValue)
}

/** True for a step that can be read: the others are dropped, as upstream drops what a later version may know. */
export function isStep(step: string): boolean {
  switch (step[0]) {
    case 'f':
      return step[1] === ':'
    case 'i':
      return /^i:-?\d+$/.test(step)
    case 'k': {
      const value = step[1] === ':' ? parsed(step) : undefined
      return typeof value === 'object' && value !== null && !Array.isArray(value)
    }
    case 'v':
      return step[1] === ':' && parsed(step) !== undefined
    default:
      return false
  }
}

/** How a conflict's text shows a path: `.spec.containers[name="a"].image`. */
export const pathText = (path: readonly string[]): string => path.map(stepText).join('')

function stepText(step: string): string {
  if (step[0] === 'f') return `.${step.slice(2)}`
  if (step[0] === 'i') return `[${step.slice(2)}]`
  const value = parsed(step)
  if (step[0] === 'v') return `[=${shown(value)}]`
  const keys = value as Record<string, unknown>
  return `[${Object.keys(keys)
    .map((name) => `${name}=${shown(keys[name])}`)
    .join(',')}]`
}

const shown = (value: unknown): string => (value === undefined ? 'null' : JSON.stringify(value))

/** The same elements come again and again, and most have short names. */
const read = new Map<string, unknown>()
const readMax = 5_000
const readLengthMax = 200

function parsed(step: string): unknown {
  if (step.length > readLengthMax) return parse(step.slice(2))
  if (read.has(step)) return read.get(step)
  if (read.size >= readMax) read.clear()
  const value = parse(step.slice(2))
  read.set(step, value)
  return value
}

function parse(json: string): unknown {
  try {
    return JSON.parse(json) as unknown
  } catch {
    return undefined // not JSON: the caller drops the step
  }
}

/** Keys by name, then by value, then by count. */
function compareKeys(left: unknown, right: unknown): number {
  const a = Object.entries(left as object)
  const b = Object.entries(right as object)
  for (let i = 0; i < a.length && i < b.length; i++) {
    const [aName, aValue] = a[i]!
    const [bName, bValue] = b[i]!
    if (aName !== bName) return aName < bName ? -1 : 1
    const order = compareValues(aValue, bValue)
    if (order !== 0) return order
  }
  return a.length - b.length
}

/** Numbers before strings before booleans before all else. */
function compareValues(left: unknown, right: unknown): number {
  const kinds = valueRank(left) - valueRank(right)
  if (kinds !== 0) return kinds
  if (typeof left === 'number') return left - (right as number)
  if (typeof left === 'string') return left === right ? 0 : left < (right as string) ? -1 : 1
  if (typeof left === 'boolean') return Number(left) - Number(right)
  const a = stepJson(left)
  const b = stepJson(right)
  return a === b ? 0 : a < b ? -1 : 1
}

function valueRank(value: unknown): number {
  if (typeof value === 'number') return 0
  if (typeof value === 'string') return 1
  if (typeof value === 'boolean') return 2
  return Array.isArray(value) ? 3 : value === null ? 5 : 4
}
