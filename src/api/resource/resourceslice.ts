import { resourceSlices } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { resourceSliceRow } from './resourceslice-row.ts'

/** What a ResourceSlice does. */
export const resourceSliceDefinition = defineKind(resourceSlices, {
  row: resourceSliceRow,
  fields: { 'spec.driver': ({ spec }) => spec.driver, 'spec.nodeName': ({ spec }) => spec.nodeName ?? '' },
})
