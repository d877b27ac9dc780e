import { badRequest } from '../../api/errors/api-error.ts'
import type { SelfSubjectReview, TokenReview } from '../../api/generated/types/authentication-v1.ts'
import type { KubernetesObject } from '../../api/resource.ts'
import { normalise } from '../../api/schema/decode.ts'
import { valueAnswer } from '../answer/answer.ts'
import type { TokenAuthenticator } from '../authn/authenticator.ts'
import type { User } from '../authn/user.ts'
import type { ResourceRequest } from '../request/api-request.ts'
import { decodeBody } from '../request/decode-body.ts'
import { writeOptions } from '../request/options.ts'
import { timeText, type Core } from '../verbs/core.ts'

/** POST of a token: whose it is. */
export function tokenReview(tokens: TokenAuthenticator, audiences: readonly string[]) {
  return async (_core: Core, request: ResourceRequest) => {
    const options = writeOptions(request.query, 'CreateOptions')
    const review = (await decodeBody(request, request.kind, options.fieldValidation)) as TokenReview
    const token = review.spec?.token
    if (!token) throw badRequest('token is required for TokenReview in authentication')
    const asked = review.spec?.audiences?.length ? review.spec.audiences : audiences
    const finding = tokens.authenticateToken(token, asked)
    const status =
      finding === undefined || finding === 'refused'
        ? { user: {}, ...(finding === 'refused' && { error: 'the token is not valid' }) }
        : { authenticated: true, user: userInfo(finding.user), ...((finding.audiences ?? asked).length > 0 && { audiences: finding.audiences ?? asked }) }
    return valueAnswer(normalise(request.kind.schema, { ...review, status }) as KubernetesObject, 201)
  }
}

/** POST of a question: who am I. */
export async function selfSubjectReview(core: Core, request: ResourceRequest) {
  const options = writeOptions(request.query, 'CreateOptions')
  const review = (await decodeBody(request, request.kind, options.fieldValidation)) as SelfSubjectReview
  const metadata = { ...review.metadata, creationTimestamp: timeText(core.clock.now()) }
  return valueAnswer(normalise(request.kind.schema, { ...review, metadata, status: { userInfo: userInfo(request.user) } }) as KubernetesObject, 201)
}

const userInfo = ({ name, uid, groups, extra }: User) => ({ username: name, ...(uid && { uid }), groups, ...(extra && { extra }) })
