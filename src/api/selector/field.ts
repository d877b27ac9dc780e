/** One condition of a field selector. */
export interface FieldRequirement {
  readonly field: string
  readonly operator: '=' | '!='
  readonly value: string
}

/** Chooses objects by few of their fields: 'status.phase!=Running,spec.nodeName=a'. */
export class FieldMatcher {
  readonly requirements: readonly FieldRequirement[]

  constructor(requirements: readonly FieldRequirement[]) {
    this.requirements = requirements
  }

  /** Chooses every object. */
  get everything(): boolean {
    return this.requirements.length === 0
  }

  /** `valueOf` gives a field's text, '' for what is absent. */
  matches(valueOf: (field: string) => string): boolean {
    return this.requirements.every(({ field, operator, value }) => (valueOf(field) === value) === (operator === '='))
  }

  /** The value that a field must have, when the selector says so: 'metadata.name' makes a list a get. */
  exact(field: string): string | undefined {
    return this.requirements.find((requirement) => requirement.field === field && requirement.operator === '=')?.value
  }

  toString(): string {
    return this.requirements
      .map(({ field, operator, value }) => `${field}${operator}${value.replace(/[\\,=]/g, (letter) => `\\${letter}`)}`)
      .join(',')
  }
}

/** Chooses everything. */
export const everyField: FieldMatcher = new FieldMatcher([])

/** Parses the text form of queries; '\\' escapes ',', '=' and itself in values. Throws upstream's text. Which fields a kind knows is the caller's to check. */
export function parseFieldSelector(text: string): FieldMatcher {
  const requirements = splitTerms(text)
    .sort()
    .filter((term) => term !== '')
    .map((term) => requirementOf(text, term))
  return requirements.length === 0 ? everyField : new FieldMatcher(requirements)
}

function splitTerms(text: string): string[] {
  const terms: string[] = []
  let start = 0
  let escaped = false
  for (let i = 0; i < text.length; i++) {
    if (escaped) escaped = false
    else if (text[i] === '\\') escaped = true
    else if (text[i] === ',') {
      terms.push(text.slice(start, i))
      start = i + 1
    }
  }
  terms.push(text.slice(start))
  return terms
}

function requirementOf(text: string, term: string): FieldRequirement {
  const match = /!=|==|=/.exec(term)
  if (!match) throw new Error(`invalid selector: '${text}'; can't understand '${term}'`)
  return {
    field: term.slice(0, match.index),
    operator: match[0] === '!=' ? '!=' : '=',
    value: unescape(term.slice(match.index + match[0].length)),
  }
}

function unescape(value: string): string {
  let out = ''
  for (let i = 0; i < value.length; i++) {
    const letter = value[i]!
    if (letter === ',' || letter === '=')
      throw new Error(`invalid field selector: unescaped character in value: ${letter.codePointAt(0)}`)
    if (letter !== '\\') {
      out += letter
      continue
    }
    const next = value[++i]
    if (next === undefined) throw new Error('invalid field selector: missing escaped character in value at end')
    if (next !== '\\' && next !== ',' && next !== '=')
      throw new Error(`invalid field selector: invalid escape sequence: \\${next}`)
    out += next
  }
  return out
}
