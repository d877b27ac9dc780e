import type { TokenAuthenticator } from '../authn/authenticator.ts'
import type { User } from '../authn/user.ts'
import type { RulesOf } from '../authz/authorizer.ts'
import { localSubjectAccessReview, selfSubjectAccessReview, selfSubjectRulesReview, subjectAccessReview } from '../reviews/access-reviews.ts'
import { selfSubjectReview, tokenReview } from '../reviews/authentication-reviews.ts'
import type { Subresources } from '../verbs/dispatch.ts'
import { bindPod } from './binding.ts'
import { evictPod } from './eviction.ts'
import { createToken, type TokenIssuer } from './token.ts'

/** What the handlers of subresources and of kinds that are never stored need. */
export interface SubresourceParts {
  readonly tokens: TokenAuthenticator
  readonly audiences: readonly string[]
  readonly issuer: TokenIssuer | undefined
  readonly rulesFor: (user: User, namespace: string) => RulesOf & { readonly incomplete?: boolean }
}

/** Handlers by 'plural.group/subresource'; with nothing behind the slash for kinds that are only created. */
export function newSubresources({ tokens, audiences, issuer, rulesFor }: SubresourceParts): Subresources {
  return new Map([
    ['bindings./', bindPod],
    ['pods./binding', bindPod],
    ['pods./eviction', evictPod],
    ['serviceaccounts./token', createToken(issuer)],
    ['subjectaccessreviews.authorization.k8s.io/', subjectAccessReview],
    ['localsubjectaccessreviews.authorization.k8s.io/', localSubjectAccessReview],
    ['selfsubjectaccessreviews.authorization.k8s.io/', selfSubjectAccessReview],
    ['selfsubjectrulesreviews.authorization.k8s.io/', selfSubjectRulesReview(rulesFor)],
    ['tokenreviews.authentication.k8s.io/', tokenReview(tokens, audiences)],
    ['selfsubjectreviews.authentication.k8s.io/', selfSubjectReview],
  ])
}
