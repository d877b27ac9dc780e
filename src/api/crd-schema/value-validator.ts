import { RE2JS } from 're2js'
import { deepEqual } from '../schema/values.ts'
import { FieldPath, type FieldErrors } from '../validation/field.ts'
import { Correlated } from './correlated.ts'
import { formatOf } from './formats.ts'
import { additionalOf, isObject, itemsOf, propertyOf, type JsonObject, type JsonSchema } from './json-schema.ts'

/*
 * Validation by a schema as upstream's library does it: the same errors, in number and place. Of alternatives that all fail, the errors of the one that matched
 * best are told; how well it matched is counted as upstream counts.
 */

/** One thing wrong: added to the errors of a request, or dropped when another alternative holds. */
type Problem = (errors: FieldErrors, root: string) => void

interface Result {
  readonly problems: Problem[]
  matches: number
}

type Check = (value: unknown, path: string, old: Correlated | undefined) => Result

const compiled = new WeakMap<JsonSchema, Check>()

/** Says what is wrong with a value. `path` is where it is ('' for a whole object); `old` is what was there, for changes. */
export function validateValue(
  schema: JsonSchema,
  value: unknown,
  { path, old, errors }: { path: string; old: Correlated | undefined; errors: FieldErrors },
): void {
  // Paths in upstream's texts begin at the value, those of its fields at the object.
  for (const problem of node(schema, value, '', old).problems) problem(errors, path)
}

/** The check of one part, with what was wrong before and is unchanged left out. */
function node(schema: JsonSchema, value: unknown, path: string, old: Correlated | undefined): Result {
  const result = checkOf(schema)(value, path, old)
  return result.problems.length > 0 && old?.unchanged ? { problems: [], matches: result.matches } : result
}

function checkOf(schema: JsonSchema): Check {
  let check = compiled.get(schema)
  if (!check) compiled.set(schema, (check = compile(schema)))
  return check
}

/** The checks that apply to values of one sort, in upstream's order. */
interface Parts {
  readonly typed: boolean
  readonly type: (value: unknown, path: string) => Result
  readonly alternatives: Check | undefined
  readonly text: Check | undefined
  readonly format: Check | undefined
  readonly number: Check | undefined
  readonly list: Check | undefined
  readonly common: Check
  readonly object: Check
}

function compile(schema: JsonSchema): Check {
  const parts: Parts = {
    typed: Boolean(schema.type || schema['x-kubernetes-int-or-string'] || formatOf(schema.format)),
    type: typeCheck(schema),
    alternatives: alternativesCheck(schema),
    text: textCheck(schema),
    format: formatCheck(schema),
    number: numberCheck(schema),
    list: listCheck(schema),
    common: enumCheck(schema),
    object: objectCheck(schema),
  }
  return (value, path, old) => {
    const result: Result = { problems: [], matches: 0 }
    const merge = (part: Result, counted = 1) => {
      if (part.problems.length) result.problems.push(...part.problems)
      result.matches += part.matches + counted
    }
    if (value === null || value === undefined) {
      merge(parts.type(null, path), 0)
      merge(parts.common(null, path, old), 0)
      return result
    }
    if (parts.typed) merge(parts.type(value, path))
    merge(parts.alternatives ? parts.alternatives(value, path, old) : matched)
    if (typeof value === 'string') {
      merge(parts.text ? parts.text(value, path, old) : none)
      if (parts.format) merge(parts.format(value, path, old))
    } else if (typeof value === 'number') merge(parts.number ? parts.number(value, path, old) : none)
    else if (Array.isArray(value)) merge(parts.list ? parts.list(value, path, old) : none)
    merge(parts.common(value, path, old))
    if (isObject(value)) merge(parts.object(value, path, old))
    result.matches++
    return result
  }
}

const none: Result = { problems: [], matches: 0 }
const matched: Result = { problems: [], matches: 1 }
const failing = (...problems: Problem[]): Result => ({ problems, matches: 0 })

/** The field of a problem: where validation began, then the path in it. */
const at = (root: string, path: string): FieldPath =>
  new FieldPath(undefined, `${root}${path.startsWith('.') || path === '' || root === '' ? '' : '.'}${path}`)

const invalid =
  (path: string, value: unknown, text: string): Problem =>
  (errors, root) =>
    errors.invalid(at(root, path), value ?? '', `${path} in body ${text}`)

// ---------------------------------------------------------------- types and scalars

function typeCheck(schema: JsonSchema): (value: unknown, path: string) => Result {
  const types = schema['x-kubernetes-int-or-string'] ? ['integer', 'string'] : schema.type ? [schema.type] : []
  const format = formatOf(schema.format) ? schema.format : undefined
  const wrong = (path: string, expected: string, actual: string): Result =>
    failing((errors, root) =>
      errors.typeInvalid(
        at(root, path),
        actual,
        `${path} in body must be of type ${expected}: ${JSON.stringify(actual)}`,
      ),
    )
  return (value, path) => {
    if (value === null) return types.length > 0 && !schema.nullable ? wrong(path, types.join(','), 'null') : matched
    const actual = typeName(value)
    const fits = types.includes(actual) || (actual === 'integer' && types.includes('number'))
    const text = actual === 'string' || actual === 'array'
    if (format && !text && !fits) return wrong(path, format, '')
    if (format && text && !types.includes('number') && !types.includes('integer')) return matched
    return fits ? matched : wrong(path, types.join(','), actual)
  }
}

/** Integers have 64 bits. The nearest number to the largest of them is one more. */
const integerMax = 2 ** 63

function typeName(value: unknown): string {
  if (Array.isArray(value)) return 'array'
  if (typeof value === 'number') return Number.isInteger(value) && Math.abs(value) <= integerMax ? 'integer' : 'number'
  return typeof value
}

function textCheck({ maxLength, minLength, pattern }: JsonSchema): Check | undefined {
  if (maxLength === undefined && minLength === undefined && !pattern) return undefined
  let regexp: RE2JS | undefined
  return (value, path) => {
    const text = value as string
    const length = maxLength !== undefined || minLength !== undefined ? lettersIn(text) : 0
    if (maxLength !== undefined && length > maxLength)
      return failing((errors, root) => errors.tooLong(at(root, path), maxLength))
    if (minLength !== undefined && length < minLength)
      return failing(invalid(path, text, `should be at least ${minLength} chars long`))
    if (pattern && !(regexp ??= RE2JS.compile(pattern)).matcher(text).find())
      return failing(invalid(path, text, `should match '${pattern}'`))
    return none
  }
}

/** Letters as upstream counts them: code points. */
function lettersIn(text: string): number {
  let count = 0
  for (const _ of text) count++
  return count
}

function formatCheck({ format }: JsonSchema): Check | undefined {
  const recognises = formatOf(format)
  if (!recognises) return undefined
  return (value, path) =>
    recognises(value as string)
      ? none
      : failing((errors, root) =>
          errors.typeInvalid(
            at(root, path),
            value,
            `${path} in body must be of type ${format}: ${JSON.stringify(value)}`,
          ),
        )
}

function numberCheck({
  multipleOf,
  maximum,
  minimum,
  exclusiveMaximum,
  exclusiveMinimum,
}: JsonSchema): Check | undefined {
  if (multipleOf === undefined && maximum === undefined && minimum === undefined) return undefined
  return (value, path) => {
    const number = value as number
    const problems: Problem[] = []
    const bad = (text: string) => problems.push(invalid(path, number, text))
    if (multipleOf !== undefined && !Number.isInteger(number / multipleOf))
      bad(`should be a multiple of ${limitText(multipleOf, number)}`)
    if (maximum !== undefined && (exclusiveMaximum ? number >= maximum : number > maximum))
      bad(`should be less than ${exclusiveMaximum ? '' : 'or equal to '}${limitText(maximum, number)}`)
    if (minimum !== undefined && (exclusiveMinimum ? number <= minimum : number < minimum))
      bad(`should be greater than ${exclusiveMinimum ? '' : 'or equal to '}${limitText(minimum, number)}`)
    return { problems, matches: 0 }
  }
}

/** A limit as Go writes it: next to a whole number as a whole number, else with an exponent when it is large. */
function limitText(limit: number, value: number): string {
  const power = limit === 0 ? 0 : Math.floor(Math.log10(Math.abs(limit)))
  if (Number.isInteger(value) || (power >= -4 && power < 6))
    return String(Number.isInteger(value) ? Math.trunc(limit) : limit)
  const [digits, exponent] = limit.toExponential().split('e') as [string, string]
  return `${digits}e${exponent.startsWith('-') ? '-' : '+'}${exponent.slice(1).padStart(2, '0')}`
}

function enumCheck({ enum: values }: JsonSchema): Check {
  if (!values || values.length === 0) return () => none
  return (value, path) => {
    // A list in the value's place is compared with the allowed ones as a whole.
    if (values.some((allowed) => deepEqual(allowed, value))) return none
    const supported = values.map((allowed) => (typeof allowed === 'string' ? allowed : JSON.stringify(allowed)))
    return failing((errors, root) => errors.notSupported(at(root, path), value, supported))
  }
}

// ---------------------------------------------------------------- lists and objects

function listCheck(schema: JsonSchema): Check | undefined {
  const items = itemsOf(schema)
  const { minItems, maxItems, uniqueItems } = schema
  return (value, path, old) => {
    const list = value as unknown[]
    const result: Result = { problems: [], matches: 0 }
    if (items) {
      for (let i = 0; i < list.length; i++) {
        const part = node(items, list[i], `${path}[${i}]`, old?.index(i, items))
        if (part.problems.length) result.problems.push(...part.problems)
        result.matches += part.matches
      }
    }
    if (minItems !== undefined && list.length < minItems)
      result.problems.push(invalid(path, list.length, `should have at least ${minItems} items`))
    if (maxItems !== undefined && list.length > maxItems)
      result.problems.push((errors, root) => errors.tooMany(at(root, path), list.length, maxItems))
    if (uniqueItems && list.some((item, i) => list.findIndex((other) => deepEqual(other, item)) < i))
      result.problems.push(invalid(path, undefined, "shouldn't contain duplicates"))
    return result
  }
}

function objectCheck(schema: JsonSchema): Check {
  const properties = Object.entries(schema.properties ?? {})
  const additional = additionalOf(schema)
  const { minProperties, maxProperties, required = [] } = schema
  return (value, path, old) => {
    const object = value as JsonObject
    const result: Result = { problems: [], matches: 0 }
    const visit = (part: JsonSchema, name: string, child: string) => {
      const before = path === '' && (name === 'kind' || name === 'apiVersion') ? undefined : old?.key(name, part)
      const found = node(part, object[name], child, before)
      if (found.problems.length) result.problems.push(...found.problems)
      result.matches += found.matches
    }
    const count = minProperties !== undefined || maxProperties !== undefined ? Object.keys(object).length : 0
    if (minProperties !== undefined && count < minProperties)
      result.problems.push(invalid(path, count, `should have at least ${minProperties} properties`))
    if (maxProperties !== undefined && count > maxProperties)
      result.problems.push((errors, root) => errors.tooMany(at(root, path), count, maxProperties))
    if (typeof additional === 'object')
      for (const name of Object.keys(object)) if (!propertyOf(schema, name)) visit(additional, name, `${path}.${name}`)
    for (const [name, part] of properties)
      if (Object.hasOwn(object, name)) visit(part, name, path ? `${path}.${name}` : name)
    for (const name of required)
      if (!Object.hasOwn(object, name))
        result.problems.push((errors, root) => errors.required(at(root, path ? `${path}.${name}` : name)))
    return result
  }
}

// ---------------------------------------------------------------- alternatives

function alternativesCheck({ anyOf = [], oneOf = [], allOf = [], not }: JsonSchema): Check | undefined {
  if (anyOf.length + oneOf.length + allOf.length === 0 && !not) return undefined
  return (value, path, old) => {
    const result: Result = { problems: [], matches: 1 }
    const merge = ({ problems, matches }: Result) => {
      result.problems.push(...problems)
      result.matches += matches
    }
    const whole =
      (text: string): Problem =>
      (errors) =>
        errors.invalid(nowhere, '', `${JSON.stringify(path)} ${text}`)
    if (anyOf.length) {
      const { success, best } = tryAll(anyOf, { value, path, old }, true)
      if (!success) result.problems.push(whole('must validate at least one schema (anyOf)'))
      merge(success ?? best!)
    }
    if (oneOf.length) {
      const { success, best, count } = tryAll(oneOf, { value, path, old }, false)
      if (count === 0) result.problems.push(whole('must validate one and only one schema (oneOf). Found none valid'))
      else if (count > 1)
        result.problems.push(whole(`must validate one and only one schema (oneOf). Found ${count} valid alternatives`))
      if (count === 0) merge(best!)
      else if (count === 1) merge(success!)
    }
    if (allOf.length) {
      let valid = 0
      for (const part of allOf) {
        const found = checkOf(part)(value, path, old)
        if (found.problems.length === 0) valid++
        merge(found)
      }
      if (valid !== allOf.length)
        result.problems.push(whole(`must validate all the schemas (allOf)${valid === 0 ? '. None validated' : ''}`))
    }
    if (not && checkOf(not)(value, path, old).problems.length === 0)
      result.problems.push(whole('must not validate the schema (not)'))
    return result
  }
}

/** Upstream tells of these at no field at all. */
const nowhere = new FieldPath(undefined, '<nil>')

interface Tried {
  readonly success: Result | undefined
  readonly best: Result | undefined
  readonly count: number
}

function tryAll(
  schemas: readonly JsonSchema[],
  { value, path, old }: { value: unknown; path: string; old: Correlated | undefined },
  first: boolean,
): Tried {
  let success: Result | undefined
  let best: Result | undefined
  let count = 0
  for (const schema of schemas) {
    const found = checkOf(schema)(value, path, old)
    if (found.problems.length === 0) {
      count++
      success ??= found
      if (first) break
    } else if (count === 0 && (!best || found.matches > best.matches)) best = found
  }
  return { success, best, count }
}
