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
  checkParts(host, isLabel, at, errors)
  if (!host.includes('.')) errors.invalid(at, host, 'should be a domain with at least two segments separated by dots')
  checkParts(path, isSubdomain, at, errors)
  if (name.length > nameMax) errors.tooLong(at, nameMax)
}

/** Of the parts between dots only the first that is wrong is told. */
function checkParts(whole: string, rule: (text: string) => string[], at: FieldPath, errors: FieldErrors): void {
  for (const part of whole.split('.')) {
    const wrong = rule(part)
    for (const text of wrong) errors.invalid(at, whole, `validating label ${JSON.stringify(part)}: ${text}`)
    if (wrong.length) return
  }
}
