import type { FieldErrors, FieldPath } from './field.ts'
import { isLabel, isSubdomain } from './names.ts'

/** Signers that upstream keeps for itself. */
export function isKubernetesSigner(name: string): boolean {
  const host = name.split('/')[0] ?? ''
  return host === 'kubernetes.io' || host.endsWith('.kubernetes.io')
}

const hostMax = 253
const nameMax = hostMax + 1 + hostMax + 63 + 1

/** `example.com/signer-name`. */
export function checkSignerName(name: string, at: FieldPath, errors: FieldErrors): void {
  if (!name) return errors.required(at)
  const [host = '', path = '', ...more] = name.split('/')
  if (more.length || !name.includes('/'))
    return errors.invalid(at, name, "must be a fully qualified domain and path of the form 'example.com/signer-name'")
  if (host.length > hostMax) errors.tooLong(at, hostMax)
  const labels = host.split('.')
  checkFirstWrong(labels, isLabel, host, at, errors)
  if (labels.length < 2) errors.invalid(at, host, 'should be a domain with at least two segments separated by dots')
  checkFirstWrong(path.split('.'), isSubdomain, path, at, errors)
  if (name.length > nameMax) errors.tooLong(at, nameMax)
}

function checkFirstWrong(
  parts: readonly string[],
  rule: (text: string) => string[],
  whole: string,
  at: FieldPath,
  errors: FieldErrors,
): void {
  for (const part of parts) {
    const wrong = rule(part)
    for (const text of wrong) errors.invalid(at, whole, `validating label ${JSON.stringify(part)}: ${text}`)
    if (wrong.length) return
  }
}
