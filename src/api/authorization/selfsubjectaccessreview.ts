import { selfSubjectAccessReviews } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a SelfSubjectAccessReview does. */
export const selfSubjectAccessReviewDefinition = defineKind(selfSubjectAccessReviews, {
  generation: false,
})
