import { tokenReviews } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a TokenReview does. */
export const tokenReviewDefinition = defineKind(tokenReviews, {
  generation: false,
})
