import { RE2JS } from 're2js'
import { field, FieldErrors, type FieldPath } from '../../api/validation/field.ts'
import { equal } from '../../api/validation/equal.ts'
import { hasFormat } from './formats.ts'
import { additionalOf, isEmbedded, isObject, itemsOf, type Props, type Values } from './props.ts'

/** Where a value is, as errors name it. */
type At = FieldPath

/** Checks a custom object by its schema. What has not changed since `old` need not be right, as long as nobody touches it. */
export function validateBySchema(value: unknown, old: unknown, props: Props, errors: FieldErrors, at: At = field()): void {
  if (old !== undefined && equal(value, old)) return
  const text = at.toString()
  const body = `${text || '<nil>'} in body`
  if (value === null) {
    if (!props.nullable && (props.type !== undefined || props['x-kubernetes-int-or-string'])) errors.typeInvalid(at, value, `${body} must be of type ${props.type ?? 'integer or string'}: "null"`)
    return
  }
  checkType(value, props, errors, at)
  if (props.enum && !props.enum.some((each) => equal(each, value))) errors.notSupported(at, value, props.enum.map((each) => (typeof each === 'string' ? each : JSON.stringify(each))))
  if (typeof value === 'string') checkString(value, props, errors, at)
  else if (typeof value === 'number') checkNumber(value, props, errors, at)
  else if (Array.isArray(value)) checkList(value, old, props, errors, at)
  else if (isObject(value)) checkObject(value, old, props, errors, at)
  checkAlternatives(value, props, errors, at)
}

const typeOf = (value: unknown): string => (value === null ? 'null' : Array.isArray(value) ? 'array' : typeof value === 'number' ? (Number.isInteger(value) ? 'integer' : 'number') : typeof value)

function checkType(value: unknown, props: Props, errors: FieldErrors, at: At): void {
  const type = typeOf(value)
  if (props['x-kubernetes-int-or-string']) {
    if (type !== 'integer' && type !== 'string') errors.typeInvalid(at, value, `${at.toString()} in body must be of type integer or string: ${JSON.stringify(type)}`)
    return
  }
  if (!props.type || props.type === type || (props.type === 'number' && type === 'integer')) return
  errors.typeInvalid(at, value, `${at.toString() || '<nil>'} in body must be of type ${props.type}: ${JSON.stringify(type)}`)
}

const patterns = new Map<string, RE2JS | undefined>()

function patternOf(text: string): RE2JS | undefined {
  if (!patterns.has(text)) {
    try {
      patterns.set(text, RE2JS.compile(text))
    } catch {
      patterns.set(text, undefined)
    }
  }
  return patterns.get(text)
}

function checkString(value: string, { minLength, maxLength, pattern, format, type }: Props, errors: FieldErrors, at: At): void {
  const body = `${at.toString()} in body`
  if (minLength !== undefined || maxLength !== undefined) {
    const length = [...value].length
    if (maxLength !== undefined && length > maxLength) errors.tooLong(at, maxLength)
    if (minLength !== undefined && length < minLength) errors.invalid(at, value, `${body} should be at least ${minLength} chars long`)
  }
  if (pattern !== undefined && patternOf(pattern)?.matcher(value).find() === false) errors.invalid(at, value, `${body} should match '${pattern}'`)
  if (format !== undefined && type === 'string' && !hasFormat(format, value)) errors.typeInvalid(at, value, `${body} must be of type ${format}: ${JSON.stringify(value)}`)
}

function checkNumber(value: number, { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf, format, type }: Props, errors: FieldErrors, at: At): void {
  const body = `${at.toString()} in body`
  if (maximum !== undefined && (exclusiveMaximum ? value >= maximum : value > maximum)) errors.invalid(at, value, `${body} should be less than ${exclusiveMaximum ? '' : 'or equal to '}${maximum}`)
  if (minimum !== undefined && (exclusiveMinimum ? value <= minimum : value < minimum)) errors.invalid(at, value, `${body} should be greater than ${exclusiveMinimum ? '' : 'or equal to '}${minimum}`)
  if (multipleOf !== undefined && multipleOf > 0 && !isMultiple(value, multipleOf)) errors.invalid(at, value, `${body} should be a multiple of ${multipleOf}`)
  if (format === 'int32' && type === 'integer' && (value > 2 ** 31 - 1 || value < -(2 ** 31))) errors.invalid(at, value, `Checked value must be of type integer with format int32 in ${at.toString()}`)
}

function isMultiple(value: number, of: number): boolean {
  const ratio = value / of
  return Math.abs(ratio - Math.round(ratio)) < 1e-9
}

function checkList(value: readonly unknown[], old: unknown, props: Props, errors: FieldErrors, at: At): void {
  const { minItems, maxItems, uniqueItems } = props
  if (maxItems !== undefined && value.length > maxItems) errors.tooMany(at, value.length, maxItems)
  if (minItems !== undefined && value.length < minItems) errors.invalid(at, value.length, `${at.toString()} in body should have at least ${minItems} items`)
  if (uniqueItems && value.some((item, i) => value.slice(0, i).some((other) => equal(item, other)))) errors.invalid(at, value, `${at.toString()} in body shouldn't contain duplicates`)
  const items = itemsOf(props)
  if (items) value.forEach((item, i) => validateBySchema(item, oldItem(item, old, props), items, errors, at.index(i)))
}

/** The element of the old list that this one was: known only where elements have keys. */
function oldItem(item: unknown, old: unknown, props: Props): unknown {
  const keys = props['x-kubernetes-list-map-keys']
  if (props['x-kubernetes-list-type'] !== 'map' || !keys || !Array.isArray(old) || !isObject(item)) return undefined
  return old.find((other) => isObject(other) && keys.every((key) => equal(other[key], item[key]))) as unknown
}

function checkObject(value: Values, old: unknown, props: Props, errors: FieldErrors, at: At): void {
  const { required, properties, minProperties, maxProperties } = props
  const count = Object.keys(value).length
  if (minProperties !== undefined && count < minProperties) errors.invalid(at, count, `${at.toString()} in body should have at least ${minProperties} properties`)
  if (maxProperties !== undefined && count > maxProperties) errors.tooMany(at, count, maxProperties)
  const before = isObject(old) ? old : undefined
  for (const name in properties) {
    const sub = properties[name]!
    if (value[name] === undefined) continue
    // A null for something with a default would have been filled in; for others it is as if it were not there.
    if (isEmbedded(sub) && isObject(value[name])) checkEmbedded(value[name], errors, at.child(name))
    validateBySchema(value[name], before?.[name], sub, errors, at.child(name))
  }
  for (const name of required ?? []) if (value[name] === undefined) errors.required(at.child(name))
  const additional = additionalOf(props)
  if (additional === undefined || typeof additional === 'boolean') return
  for (const name in value) if (!properties || !Object.hasOwn(properties, name)) validateBySchema(value[name], before?.[name], additional, errors, mapped(at, name))
}

const mapped = (at: At, name: string): At => at.child(name)

function checkEmbedded(value: Values, errors: FieldErrors, at: At): void {
  for (const name of ['apiVersion', 'kind'] as const) {
    if (value[name] === undefined || value[name] === '') errors.required(at.child(name), 'must not be empty')
    else if (typeof value[name] !== 'string') errors.invalid(at.child(name), value[name], 'must be a string')
  }
}

/** Collects what is wrong without telling it yet. */
function tried(value: unknown, props: Props, at: At): FieldErrors {
  const own = new FieldErrors()
  validateBySchema(value, undefined, props, own, at)
  return own
}

function checkAlternatives(value: unknown, { allOf, anyOf, oneOf, not }: Props, errors: FieldErrors, at: At): void {
  const body = at.toString() || '<nil>'
  if (anyOf?.length) {
    const results = anyOf.map((each) => tried(value, each, at))
    if (!results.some((each) => each.empty)) {
      errors.invalid(at, value, `${body} in body must validate at least one schema (anyOf)`)
      tellBest(results, errors)
    }
  }
  if (oneOf?.length) {
    const results = oneOf.map((each) => tried(value, each, at))
    const valid = results.filter((each) => each.empty).length
    if (valid !== 1) {
      errors.invalid(at, value, `${body} in body must validate one and only one schema (oneOf). ${valid === 0 ? 'Found none valid' : `Found ${valid} valid alternatives`}`)
      if (valid === 0) tellBest(results, errors)
    }
  }
  if (allOf?.length) {
    const results = allOf.map((each) => tried(value, each, at))
    if (results.some((each) => !each.empty)) {
      for (const each of results) errors.list.push(...each.list)
      errors.invalid(at, value, `${body} in body must validate all the schemas (allOf)`)
    }
  }
  if (not && tried(value, not, at).empty) errors.invalid(at, value, `${body} in body must not validate the schema (not)`)
}

/** What is wrong with the alternative that comes nearest. */
function tellBest(results: readonly FieldErrors[], errors: FieldErrors): void {
  const best = results.reduce((least, each) => (each.list.length < least.list.length ? each : least))
  errors.list.push(...best.list)
}

/** Lists that are sets or maps have no element twice. */
export function checkUniqueness(value: unknown, props: Props, errors: FieldErrors, at: At = field()): void {
  if (Array.isArray(value)) {
    const type = props['x-kubernetes-list-type']
    const keys = props['x-kubernetes-list-map-keys'] ?? []
    const seen: unknown[] = []
    value.forEach((item: unknown, i) => {
      if (type !== 'set' && type !== 'map') return
      const key: unknown = type === 'set' ? item : isObject(item) ? Object.fromEntries(keys.filter((name) => item[name] !== undefined).map((name) => [name, item[name]])) : undefined
      if (key === undefined) return
      if (seen.some((other) => equal(other, key))) errors.duplicate(at.index(i), key)
      else seen.push(key)
    })
    const items = itemsOf(props)
    if (items) value.forEach((item, i) => checkUniqueness(item, items, errors, at.index(i)))
    return
  }
  if (!isObject(value)) return
  const additional = additionalOf(props)
  for (const name in value) {
    const sub = props.properties && Object.hasOwn(props.properties, name) ? props.properties[name]! : typeof additional === 'object' ? additional : undefined
    if (sub) checkUniqueness(value[name], sub, errors, at.child(name))
  }
}
