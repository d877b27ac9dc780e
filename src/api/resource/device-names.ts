import { checkDriverName } from '../core/pod-spec/volume-sources.ts'
import { checkText } from '../validation/check.ts'
import type { FieldErrors, FieldPath } from '../validation/field.ts'
import { isCIdentifier, isSubdomain } from '../validation/names.ts'

const poolMax = 253
const identifierMax = 32

/** The rules of a pool's name: parts that are node names. */
export function checkPoolName(name: string | undefined, at: FieldPath, errors: FieldErrors): void {
  if (!name) return errors.required(at)
  if (name.length > poolMax) errors.tooLong(at, poolMax)
  for (const part of name.split('/')) checkText(isSubdomain, part, at, errors)
}

/** The rules of an attribute's or capacity's name: an identifier, maybe in a driver's domain. */
export function checkAttributeName(name: string, at: FieldPath, errors: FieldErrors): void {
  const parts = name.split('/')
  if (parts.length === 1) return checkIdentifier(name, at, errors)
  if (parts.length > 2) return
  const [domain = '', own = ''] = parts
  if (domain) checkDriverName(domain, at, errors)
  else errors.invalid(at, '', 'the domain must not be empty')
  if (own) checkIdentifier(own, at, errors)
  else errors.invalid(at, '', 'the name must not be empty')
}

/** The same for a name that always has its domain. */
export function checkFullAttributeName(name: string, at: FieldPath, errors: FieldErrors): void {
  checkAttributeName(name, at, errors)
  if (!name.includes('/'))
    errors.invalid(at, name, 'a fully qualified name must be a domain and a name separated by a slash')
}

function checkIdentifier(name: string, at: FieldPath, errors: FieldErrors): void {
  if (name.length > identifierMax) errors.tooLong(at, identifierMax)
  checkText(isCIdentifier, name, at, errors)
}

/** At most so many things, none of them twice. */
export function checkSet<T>(
  list: readonly T[] | undefined,
  { at, max, errors }: { at: FieldPath; max: number; errors: FieldErrors },
  keyOf: (item: T) => string,
  check: (item: T, at: FieldPath) => void,
): void {
  if (!list) return
  if (max >= 0 && list.length > max) return errors.tooMany(at, list.length, max)
  list.forEach((item, i) => check(item, at.index(i)))
  const seen = new Set<string>()
  list.forEach((item, i) => {
    const key = keyOf(item)
    if (seen.has(key)) errors.duplicate(at.index(i), key)
    seen.add(key)
  })
}

/** A path's key, shortened in its middle when it is very long. */
export function shortKey(key: string, max: number): string {
  if (key.length <= max) return key
  const rest = max - 3
  return `${key.slice(0, Math.ceil(rest / 2))}...${key.slice(key.length - Math.floor(rest / 2))}`
}
