import type { FieldErrors, FieldPath } from './field.ts'
import { isHttpPath, isSubdomain } from './names.ts'

/** `example.com/path`: names of actors that share a field. */
export function checkDomainPrefixedPath(value: string, at: FieldPath, errors: FieldErrors): void {
  if (!value) return errors.required(at)
  const slash = value.indexOf('/')
  const host = value.slice(0, slash)
  const path = value.slice(slash + 1)
  if (slash <= 0 || !path) return errors.invalid(at, value, 'must be a domain-prefixed path (such as "acme.io/foo")')
  for (const text of isSubdomain(host)) errors.invalid(at, host, text)
  for (const text of isHttpPath(path)) errors.invalid(at, path, text)
}
