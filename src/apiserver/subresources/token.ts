import { badRequest, conflict, invalid, methodNotSupported, notFound } from '../../api/errors/api-error.ts'
import { nodes, pods, secrets, serviceAccounts } from '../../api/generated/resources.ts'
import type { BoundObjectReference, TokenRequest } from '../../api/generated/types/authentication-v1.ts'
import { definition } from '../../api/schema/builtin.ts'
import { normalise } from '../../api/schema/decode.ts'
import type { Frozen, KubernetesObject, Resource } from '../../api/resource.ts'
import { field, FieldErrors } from '../../api/validation/field.ts'
import { valueAnswer } from '../answer/answer.ts'
import type { Claims } from '../authn/jwt.ts'
import { serviceAccountName } from '../authn/user.ts'
import type { ServiceAccountOptions } from '../options.ts'
import type { Draft } from '../registry/resource-storage.ts'
import { warn, type ResourceRequest } from '../request/api-request.ts'
import { decodeAs } from '../request/decode-body.ts'
import { writeOptions } from '../request/options.ts'
import type { Core } from '../verbs/core.ts'
import { timeText } from '../../api/schema/times.ts'
import { writeOf } from '../verbs/create.ts'
import type { SubresourceHandler } from '../verbs/dispatch.ts'
import { attributesOf, recordFields } from '../verbs/write.ts'
import { reviewKind } from './review-kind.ts'

/** How tokens are made. */
export interface TokenIssuer {
  readonly sign: (claims: Claims) => string
  readonly audiences: readonly string[]
  readonly options: ServiceAccountOptions
}

const tokenKind = () => reviewKind('authentication.k8s.io', 'v1', 'TokenRequest', 'api.authentication.v1.TokenRequest')

/** Tokens of pods that ask for exactly this live longer than they say, so that programs which never read them anew have time to learn it. */
const warnedExpirationSeconds = 3607
const extendedExpirationSeconds = 365 * 24 * 3600

/** POST of a service account's token. */
export function createToken(issuer: TokenIssuer | undefined): SubresourceHandler {
  return async (core, request) => {
    if (!issuer) throw methodNotSupported({ group: '', plural: 'serviceaccounts/token' }, 'create')
    const options = writeOptions(request.query, 'CreateOptions')
    const schema = definition('api.authentication.v1.TokenRequest')
    const body = await decodeAs<TokenRequest>(
      request,
      { schema, group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' },
      options.fieldValidation,
    )
    const write = writeOf(request, options, 'CreateOptions')
    body.metadata ??= {}
    const spec = (body.spec ??= {} as NonNullable<TokenRequest['spec']>)
    spec.expirationSeconds ??= 3600
    recordFields(core, { ...write, kind: tokenKind() }, body as Draft, undefined)
    const account = accountOf(core, request, body)
    const nowMs = core.clock.now()
    body.metadata = {
      ...body.metadata,
      name: account.metadata!.name!,
      namespace: account.metadata!.namespace!,
      uid: account.metadata!.uid!,
      creationTimestamp: timeText(nowMs),
    }
    if (!spec.audiences?.length) spec.audiences = [...issuer.audiences]
    validate(spec)
    const attributes = attributesOf(write, 'CREATE', body as Draft, undefined)
    await core.admission.admit(attributes)
    await core.admission.validate(attributes)
    const bound = boundTo(core, request, spec.boundObjectRef)
    const max = issuer.options.maxTokenExpirationSeconds ?? 0
    if (max > 0 && spec.expirationSeconds > max) {
      warn(request, `requested expiration of ${spec.expirationSeconds} seconds shortened to ${max} seconds`)
      spec.expirationSeconds = max
    }
    const extended =
      issuer.options.extendTokenExpiration !== false &&
      bound['pod'] !== undefined &&
      spec.expirationSeconds === warnedExpirationSeconds &&
      spec.audiences.some((audience) => issuer.audiences.includes(audience))
    const nowSeconds = Math.floor(nowMs / 1000)
    const token = issuer.sign({
      aud: spec.audiences,
      exp: nowSeconds + (extended ? extendedExpirationSeconds : spec.expirationSeconds),
      iat: nowSeconds,
      iss: issuer.options.issuers[0]!,
      jti: core.random.uuid(),
      'kubernetes.io': {
        namespace: account.metadata!.namespace,
        ...bound,
        serviceaccount: { name: account.metadata!.name, uid: account.metadata!.uid },
        ...(extended && { warnafter: nowSeconds + spec.expirationSeconds }),
      },
      nbf: nowSeconds,
      sub: serviceAccountName(account.metadata!.namespace!, account.metadata!.name!),
    })
    const status = { token, expirationTimestamp: timeText(nowMs + spec.expirationSeconds * 1000) }
    return valueAnswer(normalise(schema, { ...body, status }) as Frozen<KubernetesObject>, 201)
  }
}

const reviewSubject = { group: 'authentication.k8s.io', plural: 'TokenRequest' }

function accountOf(core: Core, { info }: ResourceRequest, { metadata = {} }: TokenRequest): Frozen<KubernetesObject> {
  const errors = new FieldErrors()
  if (metadata.name && metadata.name !== info.name)
    errors.invalid(field('metadata', 'name'), metadata.name, 'must match the service account name if specified')
  else if (metadata.namespace && metadata.namespace !== info.namespace)
    errors.invalid(
      field('metadata', 'namespace'),
      metadata.namespace,
      'must match the service account namespace if specified',
    )
  if (!errors.empty) throw invalid('authentication.k8s.io', 'TokenRequest', info.name, errors)
  const account = core.registry.get(serviceAccounts, { namespace: info.namespace, name: info.name })
  if (!account) throw notFound(serviceAccounts, info.name)
  if (metadata.uid && metadata.uid !== account.metadata?.uid) {
    throw conflict(
      reviewSubject,
      info.name,
      `the UID in the token request (${metadata.uid}) does not match the UID of the service account (${account.metadata?.uid})`,
    )
  }
  return account
}

function validate({ expirationSeconds: seconds = 0 }: TokenRequest['spec'] & object): void {
  const errors = new FieldErrors()
  const at = field('spec', 'expirationSeconds')
  if (seconds < 600) errors.invalid(at, seconds, 'may not specify a duration less than 10 minutes')
  if (seconds > 2 ** 32) errors.invalid(at, seconds, 'may not specify a duration larger than 2^32 seconds')
  if (!errors.empty) throw invalid('authentication.k8s.io', 'TokenRequest', '', errors)
}

/** The claims about what the token is bound to: it ends with that. */
function boundTo(
  core: Core,
  { info }: ResourceRequest,
  ref: BoundObjectReference | undefined,
): Record<string, unknown> {
  if (!ref) return {}
  const { kind = '', apiVersion = '', name = '' } = ref
  const find = <T extends KubernetesObject>(resource: Resource<T>) => {
    const object = core.registry.get(resource, { namespace: resource.namespaced ? info.namespace : undefined, name })
    if (!object) throw notFound(resource, name)
    if (ref.uid && ref.uid !== object.metadata?.uid) {
      throw conflict(
        { group: '', plural: kind },
        name,
        `the UID in the bound object reference (${ref.uid}) does not match the UID in record. The object might have been deleted and then recreated`,
      )
    }
    return object
  }
  if (apiVersion === 'v1' && kind === 'Pod') {
    const pod = find(pods)
    if (pod.spec?.serviceAccountName !== info.name)
      throw badRequest(
        `cannot bind token for serviceaccount ${JSON.stringify(info.name)} to pod running with different serviceaccount name.`,
      )
    const node = pod.spec.nodeName ? core.registry.get(nodes, { name: pod.spec.nodeName }) : undefined
    return {
      ...(pod.spec.nodeName && {
        node: { name: pod.spec.nodeName, ...(node?.metadata?.uid && { uid: node.metadata.uid }) },
      }),
      pod: refTo(pod),
    }
  }
  if (apiVersion === 'v1' && kind === 'Node') return { node: refTo(find(nodes)) }
  if (apiVersion === 'v1' && kind === 'Secret') return { secret: refTo(find(secrets)) }
  throw badRequest(`cannot bind token to object of type ${apiVersion}, Kind=${kind}`)
}

const refTo = ({ metadata }: Frozen<KubernetesObject>) => ({ name: metadata?.name, uid: metadata?.uid })
