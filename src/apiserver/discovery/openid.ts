import { keySet, type TokenKey } from '../authn/jwt.ts'
import { ApiError, notAcceptable } from '../../api/errors/api-error.ts'
import type { ApiRequest } from '../request/api-request.ts'
import { textAnswer } from '../answer/answer.ts'
import type { NonResource } from '../non-resource.ts'
import type { ServiceAccountOptions } from '../options.ts'

/** Lets others check tokens of service accounts: the issuer's metadata and its keys. */
export function addOpenId(
  nonResource: NonResource,
  options: ServiceAccountOptions,
  keys: readonly TokenKey[],
  serverAddress: () => string,
): void {
  const [issuer = ''] = options.issuers
  // Only an issuer that is a URL can be discovered.
  if (!issuer.startsWith('https://')) return
  const algorithms = [...new Set(keys.map(({ algorithm }) => algorithm))]
  nonResource.add({
    path: '/.well-known/openid-configuration',
    handler() {
      const document = {
        issuer,
        jwks_uri: options.jwksUri ?? `https://${serverAddress()}/openid/v1/jwks`,
        response_types_supported: ['id_token'],
        subject_types_supported: ['public'],
        id_token_signing_alg_values_supported: algorithms,
      }
      return {
        ...textAnswer(200, JSON.stringify(document), 'application/json'),
        cacheControl: 'public, max-age=3600',
      }
    },
  })
  const type = 'application/jwk-set+json'
  const keySetOf = (request: ApiRequest) => {
    const accept = request.exchange?.header('accept')
    if (accept !== undefined && !accept.includes(type) && !accept.includes('*/*'))
      throw new ApiError({ ...notAcceptable([type]).status, details: {} })
    return {
      ...textAnswer(200, JSON.stringify(keySet(keys)), type),
      cacheControl: 'public, max-age=3600',
    }
  }
  nonResource.add({ path: '/openid/v1/jwks', handler: keySetOf })
}
