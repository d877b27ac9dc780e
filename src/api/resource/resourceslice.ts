import { resourceSlices } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a ResourceSlice does. */
export const resourceSliceDefinition = defineKind(resourceSlices, {
  fields: { 'spec.driver': ({ spec }) => spec.driver, 'spec.nodeName': ({ spec }) => spec.nodeName ?? '' },
})
