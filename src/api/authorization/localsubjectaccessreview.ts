import { localSubjectAccessReviews } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a LocalSubjectAccessReview does. */
export const localSubjectAccessReviewDefinition = defineKind(localSubjectAccessReviews, {
  generation: false,
})
