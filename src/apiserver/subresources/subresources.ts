import type { TokenAuthenticator } from '../authn/authenticator.ts'
import type { User } from '../authn/user.ts'
import type { RulesOf } from '../authz/authorizer.ts'
import {
  localSubjectAccessReview,
  selfSubjectAccessReview,
  selfSubjectRulesReview,
  subjectAccessReview,
} from '../reviews/access-reviews.ts'
import { componentStatus } from '../reviews/component-statuses.ts'
import { selfSubjectReview, tokenReview } from '../reviews/authentication-reviews.ts'
import type { KubeletClientOptions } from '../options.ts'
import { podLog } from '../proxying/pod-log.ts'
import { podStream } from '../proxying/pod-streams.ts'
import { nodeProxy, podProxy, serviceProxy } from '../proxying/proxy.ts'
import type { SubresourceHandler, Subresources } from '../verbs/dispatch.ts'
import { bindPod } from './binding.ts'
import { evictPod } from './eviction.ts'
import { createToken, type TokenIssuer } from './token.ts'

/** What the handlers of subresources and of kinds that are never stored need. */
export interface SubresourceParts {
  readonly tokens: TokenAuthenticator
  readonly audiences: readonly string[]
  readonly issuer: TokenIssuer | undefined
  /** How kubelets are reached. */
  readonly kubelet: KubeletClientOptions | undefined
  /** Controllers and scheduler run in this process. */
  readonly withControlPlane: boolean
  /** Of kinds that are not stored. */
  readonly more: readonly (readonly [string, SubresourceHandler])[]
  readonly rulesFor: (user: User, namespace: string) => RulesOf & { readonly incomplete?: boolean }
}

/** Handlers by 'plural.group/subresource'; with nothing behind the slash for kinds that are only created. */
export function newSubresources({
  tokens,
  audiences,
  issuer,
  rulesFor,
  kubelet,
  withControlPlane,
  more,
}: SubresourceParts): Subresources {
  return new Map<string, SubresourceHandler>([
    ['bindings./', bindPod],
    ['componentstatuses./', componentStatus(withControlPlane)],
    ['pods./binding', bindPod],
    ['pods./eviction', evictPod],
    ['pods./log', podLog(kubelet)],
    ['pods./exec', podStream('exec', kubelet)],
    ['pods./attach', podStream('attach', kubelet)],
    ['pods./portforward', podStream('portforward', kubelet)],
    ['pods./proxy', podProxy],
    ['services./proxy', serviceProxy],
    ['nodes./proxy', nodeProxy(kubelet)],
    ['serviceaccounts./token', createToken(issuer)],
    ['subjectaccessreviews.authorization.k8s.io/', subjectAccessReview],
    ['localsubjectaccessreviews.authorization.k8s.io/', localSubjectAccessReview],
    ['selfsubjectaccessreviews.authorization.k8s.io/', selfSubjectAccessReview],
    ['selfsubjectrulesreviews.authorization.k8s.io/', selfSubjectRulesReview(rulesFor)],
    ['tokenreviews.authentication.k8s.io/', tokenReview(tokens, audiences)],
    ['selfsubjectreviews.authentication.k8s.io/', selfSubjectReview],
    ...more,
  ])
}
