import { subjectAccessReviews } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a SubjectAccessReview does. */
export const subjectAccessReviewDefinition = defineKind(subjectAccessReviews, {
  generation: false,
})
