import type {
  CertificateSigningRequest,
  CertificateSigningRequestCondition,
} from '../generated/types/certificates-v1.ts'
import type { Frozen } from '../resource.ts'
import { equal } from '../validation/equal.ts'
import { type FieldErrors, type FieldPath, field } from '../validation/field.ts'
import { checkSignerName } from '../validation/signer-names.ts'
import { certificateProblem, requestProblem } from './csr.ts'

type Request = Frozen<CertificateSigningRequest>
type Conditions = readonly Frozen<CertificateSigningRequestCondition>[]

const legacySigner = 'kubernetes.io/legacy-unknown'
const expirationMin = 600
const usagesKnown = [
  'any',
  'cert sign',
  'client auth',
  'code signing',
  'content commitment',
  'crl sign',
  'data encipherment',
  'decipher only',
  'digital signature',
  'email protection',
  'encipher only',
  'ipsec end system',
  'ipsec tunnel',
  'ipsec user',
  'key agreement',
  'key encipherment',
  'microsoft sgc',
  'netscape sgc',
  'ocsp signing',
  's/mime',
  'server auth',
  'signing',
  'timestamping',
]
/** Types of conditions that are there or not, but never false. */
const decisions = ['Approved', 'Denied', 'Failed']
const statuses = ['False', 'True', 'Unknown']

/** The rules of a request. What an existing one had wrong it may keep. */
export function checkRequest({ spec, status }: Request, old: Request | undefined, errors: FieldErrors): void {
  const at = field('spec')
  const problem = requestProblem(spec?.request)
  if (problem) errors.invalid(at.child('request'), spec?.request, problem)
  checkUsages(spec?.usages ?? [], old?.spec?.usages ?? [], at.child('usages'), errors)
  if (spec?.signerName === legacySigner && old?.spec?.signerName !== legacySigner)
    errors.invalid(at.child('signerName'), legacySigner, 'the legacy signerName is not allowed via this API version')
  else checkSignerName(spec?.signerName ?? '', at.child('signerName'), errors)
  const seconds = spec?.expirationSeconds
  if (seconds !== undefined && seconds < expirationMin)
    errors.invalid(
      at.child('expirationSeconds'),
      seconds,
      'may not specify a duration less than 600 seconds (10 minutes)',
    )
  checkConditions(status?.conditions ?? [], old?.status?.conditions ?? [], errors)
  const before = old?.status?.certificate
  if (old && ((status?.certificate ?? '') === (before ?? '') || certificateProblem(before))) return
  const wrong = certificateProblem(status?.certificate)
  if (wrong) errors.invalid(field('status', 'certificate'), '<certificate data>', wrong)
}

const repeats = (list: readonly string[]): boolean => new Set(list).size < list.length

function checkUsages(usages: readonly string[], old: readonly string[], at: FieldPath, errors: FieldErrors): void {
  if (usages.length === 0) errors.required(at)
  const [anyUsage, anyTimes] = [old.some((usage) => !usagesKnown.includes(usage)), repeats(old)]
  usages.forEach((usage, i) => {
    if (!anyUsage && !usagesKnown.includes(usage)) errors.notSupported(at.index(i), usage, usagesKnown)
    if (!anyTimes && usages.indexOf(usage) < i) errors.duplicate(at.index(i), usage)
  })
}

function checkConditions(conditions: Conditions, old: Conditions, errors: FieldErrors): void {
  const at = field('status', 'conditions')
  const has = (list: Conditions, type: string) => list.some((condition) => condition.type === type)
  const emptyBefore = has(old, '')
  const repeatedBefore = repeats(old.map(({ type }) => type))
  const bothBefore = has(old, 'Approved') && has(old, 'Denied')
  conditions.forEach(({ type = '', status = '' }, i) => {
    if (!type && !emptyBefore) errors.required(at.index(i).child('type'))
    const allowed = decisions.includes(type) ? ['True'] : statuses
    if (!status) errors.required(at.index(i).child('status'))
    else if (!allowed.includes(status)) errors.notSupported(at.index(i).child('status'), status, allowed)
    const earlier = conditions.slice(0, i)
    const against = type === 'Approved' ? 'Denied' : type === 'Denied' ? 'Approved' : undefined
    if (against && !bothBefore && has(earlier, against))
      errors.invalid(at, type, 'Approved and Denied conditions are mutually exclusive')
    if (!repeatedBefore && has(earlier, type)) errors.duplicate(at.index(i).child('type'), type)
  })
}

/** The rules of a change: only the approver decides, only the signer writes the certificate, and both do it once. */
export function checkRequestUpdate(request: Request, old: Request, subresource: string, errors: FieldErrors): void {
  checkRequest(request, old, errors)
  const at = field('status', 'conditions')
  const of = ({ status }: Request, type: string) =>
    (status?.conditions ?? []).filter((condition) => condition.type === type)
  for (const type of decisions)
    if (of(request, type).length < of(old, type).length)
      errors.forbidden(at, `updates may not remove a condition of type ${JSON.stringify(type)}`)
  for (const type of subresource === 'approval' ? [] : ['Approved', 'Denied']) {
    const [now, before] = [of(request, type), of(old, type)]
    if (now.length > before.length)
      errors.forbidden(at, `updates may not add a condition of type ${JSON.stringify(type)}`)
    else if (now.length === before.length && !equal(now, before))
      errors.forbidden(at, `updates may not modify a condition of type ${JSON.stringify(type)}`)
  }
  const [certificate, before] = [request.status?.certificate ?? '', old.status?.certificate ?? '']
  if (certificate === before) return
  const path = field('status', 'certificate')
  if (subresource !== 'status') errors.forbidden(path, 'updates may not set certificate content')
  else if (before) errors.forbidden(path, 'updates may not modify existing certificate content')
}
