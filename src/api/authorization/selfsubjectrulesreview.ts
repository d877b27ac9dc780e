import { selfSubjectRulesReviews } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a SelfSubjectRulesReview does. */
export const selfSubjectRulesReviewDefinition = defineKind(selfSubjectRulesReviews, {
  generation: false,
})
