import { selfSubjectReviews } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a SelfSubjectReview does. */
export const selfSubjectReviewDefinition = defineKind(selfSubjectReviews, {
  generation: false,
})
