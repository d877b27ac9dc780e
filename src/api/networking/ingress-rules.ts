import type {
  HTTPIngressPath,
  Ingress,
  IngressBackend,
  IngressRule,
  IngressServiceBackend,
  IngressSpec,
  IngressStatus,
  IngressTLS,
} from '../generated/types/networking-v1.ts'
import type { Frozen } from '../resource.ts'
import { checkRequiredText, checkText } from '../validation/check.ts'
import { FieldErrors, type FieldPath, field } from '../validation/field.ts'
import { checkLegacyIp, parseIp } from '../validation/ips.ts'
import { checkLocalReference } from './local-reference.ts'
import {
  isDns1035Label,
  isLabel,
  isPortName,
  isPortNumber,
  isSubdomain,
  isWildcardSubdomain,
} from '../validation/names.ts'

const pathTypes = ['Exact', 'ImplementationSpecific', 'Prefix']
const badSequences = ['//', '/./', '/../', '%2f', '%2F']
const badEndings = ['/..', '/.']

/** What an existing ingress may keep although new ones are refused with it. */
interface Tolerated {
  readonly secretNames: boolean
  readonly wildcardRules: boolean
  readonly serviceNames: boolean
}

/** The rules of an ingress; `old` is what it replaces. */
export function checkIngressSpec(
  spec: Frozen<IngressSpec> | undefined,
  old: Frozen<Ingress> | undefined,
  errors: FieldErrors,
): void {
  const at = field('spec')
  const { rules, defaultBackend, tls, ingressClassName } = spec ?? {}
  const tolerated = toleratedBy(old)
  if (!rules?.length && !defaultBackend)
    errors.invalid(at, rules ?? null, 'either `defaultBackend` or `rules` must be specified')
  if (defaultBackend) checkBackend(defaultBackend, at.child('defaultBackend'), errors, tolerated)
  rules?.forEach((rule, i) => checkRule(rule, at.child('rules').index(i), errors, tolerated))
  tls?.forEach((entry, i) => checkTls(entry, at.child('tls').index(i), errors, tolerated))
  if (ingressClassName !== undefined) checkText(isSubdomain, ingressClassName, at.child('ingressClassName'), errors)
}

function toleratedBy(old: Frozen<Ingress> | undefined): Tolerated {
  const spec = old?.spec
  if (!spec) return { secretNames: false, wildcardRules: false, serviceNames: false }
  const none = { secretNames: false, wildcardRules: false, serviceNames: false }
  const backends = [
    spec.defaultBackend,
    ...(spec.rules ?? []).flatMap((rule) => (rule.http?.paths ?? []).map((path) => path.backend)),
  ]
  return {
    secretNames: !!spec.tls?.some(({ secretName }) => secretName && isSubdomain(secretName).length > 0),
    wildcardRules: !!spec.rules?.some((rule) => rule.host?.includes('*') && ruleIsWrong(rule, none)),
    serviceNames: backends.some(
      (backend) =>
        backend?.service &&
        isLabel(backend.service.name).length === 0 &&
        isDns1035Label(backend.service.name).length > 0,
    ),
  }
}

function ruleIsWrong(rule: Frozen<IngressRule>, tolerated: Tolerated): boolean {
  const errors = new FieldErrors()
  checkHttp(rule, field('rule'), errors, tolerated)
  return !errors.empty
}

function checkRule(rule: Frozen<IngressRule>, at: FieldPath, errors: FieldErrors, tolerated: Tolerated): void {
  const { host } = rule
  const wildcard = !!host?.includes('*')
  if (host) {
    if (parseIp(host)) errors.invalid(at.child('host'), host, 'must be a DNS name, not an IP address')
    checkText(wildcard ? isWildcardSubdomain : isSubdomain, host, at.child('host'), errors)
  }
  if (!wildcard || !tolerated.wildcardRules) checkHttp(rule, at, errors, tolerated)
}

function checkHttp({ http }: Frozen<IngressRule>, at: FieldPath, errors: FieldErrors, tolerated: Tolerated): void {
  if (!http) return
  const paths = at.child('http', 'paths')
  if (!http.paths?.length) errors.required(paths)
  else http.paths.forEach((path, i) => checkPath(path, paths.index(i), errors, tolerated))
}

function checkPath(
  { path = '', pathType, backend }: Frozen<HTTPIngressPath>,
  at: FieldPath,
  errors: FieldErrors,
  tolerated: Tolerated,
): void {
  if (pathType === undefined || pathType === null)
    return errors.required(at.child('pathType'), 'pathType must be specified')
  const say = (text: string) => errors.invalid(at.child('path'), path, text)
  if (pathType === 'Exact' || pathType === 'Prefix') {
    if (!path.startsWith('/')) say('must be an absolute path')
    for (const bad of badSequences) if (path.includes(bad)) say(`must not contain '${bad}'`)
    for (const bad of badEndings) if (path.endsWith(bad)) say(`cannot end with '${bad}'`)
  } else if (pathType === 'ImplementationSpecific') {
    if (path && !path.startsWith('/')) say('must be an absolute path')
  } else errors.notSupported(at.child('pathType'), pathType, pathTypes)
  checkBackend(backend, at.child('backend'), errors, tolerated)
}

function checkBackend(
  backend: Frozen<IngressBackend> | undefined,
  at: FieldPath,
  errors: FieldErrors,
  tolerated: Tolerated,
): void {
  const { resource, service } = backend ?? {}
  if (resource && service) errors.invalid(at, '', 'cannot set both resource and service backends')
  else if (resource) checkLocalReference(resource, at.child('resource'), errors)
  else if (service) checkService(service, at, errors, tolerated)
  else errors.invalid(at, '', 'resource or service backend is required')
}

function checkService(
  { name, port }: Frozen<IngressServiceBackend>,
  at: FieldPath,
  errors: FieldErrors,
  tolerated: Tolerated,
): void {
  checkRequiredText(tolerated.serviceNames ? isLabel : isDns1035Label, name, at.child('service', 'name'), errors)
  const { name: portName, number } = port ?? {}
  if (portName && number) errors.invalid(at, '', 'cannot set both port name & port number')
  else if (portName) checkText(isPortName, portName, at.child('service', 'port', 'name'), errors)
  else if (number)
    for (const problem of isPortNumber(number)) errors.invalid(at.child('service', 'port', 'number'), number, problem)
  else errors.required(at, 'port name or number is required')
}

function checkTls(
  { hosts, secretName }: Frozen<IngressTLS>,
  at: FieldPath,
  errors: FieldErrors,
  tolerated: Tolerated,
): void {
  hosts?.forEach((host, i) =>
    checkText(host.includes('*') ? isWildcardSubdomain : isSubdomain, host, at.child('hosts').index(i), errors),
  )
  if (secretName && !tolerated.secretNames) checkText(isSubdomain, secretName, at.child('secretName'), errors)
}

/** The rules of what a load balancer reports; addresses that were there stay valid. */
export function checkIngressStatus(
  status: Frozen<IngressStatus> | undefined,
  old: Frozen<IngressStatus> | undefined,
  errors: FieldErrors,
): void {
  const before = new Set(old?.loadBalancer?.ingress?.map(({ ip }) => ip))
  status?.loadBalancer?.ingress?.forEach(({ ip, hostname }, i) => {
    const at = field('status', 'loadBalancer', 'ingress').index(i)
    if (ip && !before.has(ip)) checkLegacyIp(ip, at.child('ip'), errors)
    if (!hostname) return
    checkText(isSubdomain, hostname, at.child('hostname'), errors)
    if (parseIp(hostname)) errors.invalid(at.child('hostname'), hostname, 'must be a DNS name, not an IP address')
  })
}
