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
import type { Core } from '../verbs/core.ts'
import { timeText } from '../../api/schema/times.ts'
import { writeOf } from '../verbs/create.ts'
import { recordFields } from '../verbs/write.ts'
import type { Draft } from '../registry/resource-storage.ts'

/** POST of a token: whose it is. */
export function tokenReview(tokens: TokenAuthenticator, audiences: readonly string[]) {
  return async (core: Core, request: ResourceRequest) => {
    const review = (await read(core, request)) as TokenReview
    const token = review.spec?.token
    if (!token) throw badRequest('token is required for TokenReview in authentication')
    const asked = review.spec?.audiences?.length ? review.spec.audiences : audiences
    const finding = tokens.authenticateToken(token, asked)
    // What says nothing of audiences is for the API server alone.
    const agreed =
      finding === undefined || finding === 'refused'
        ? []
        : (finding.audiences ?? asked.filter((audience) => audiences.length === 0 || audiences.includes(audience)))
    const known = finding !== undefined && finding !== 'refused' && (agreed.length > 0 || asked.length === 0)
    const status = known
      ? { authenticated: true, user: userInfo(finding.user), ...(agreed.length > 0 && { audiences: agreed }) }
      : { user: {}, error: '[invalid bearer token, the token is not known to this server]' }
    return valueAnswer(normalise(request.kind.schema, { ...review, status }) as KubernetesObject, 201)
  }
}

/** POST of a question: who am I. */
export async function selfSubjectReview(core: Core, request: ResourceRequest) {
  const review = (await read(core, request)) as SelfSubjectReview
  const metadata = { creationTimestamp: timeText(core.clock.now()) }
  return valueAnswer(
    normalise(request.kind.schema, {
      ...review,
      metadata,
      status: { userInfo: userInfo(request.user) },
    }) as KubernetesObject,
    201,
  )
}

async function read(core: Core, request: ResourceRequest): Promise<Draft> {
  const options = writeOptions(request.query, 'CreateOptions')
  const draft = await decodeBody(request, request.kind, options.fieldValidation)
  recordFields(core, writeOf(request, options, 'CreateOptions'), draft, undefined)
  return draft
}

const userInfo = ({ name, uid, groups, extra }: User) => ({
  username: name,
  ...(uid && { uid }),
  groups,
  ...(extra && { extra }),
})
