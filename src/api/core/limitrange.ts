import { limitRanges } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a LimitRange does. */
export const limitRangeDefinition = defineKind(limitRanges, {
  generation: false,
  createOnUpdate: true,
})
