import { resourceSlices } from '../generated/resources.ts'
import type { ResourceSliceSpec } from '../generated/types/resource-v1.ts'
import { defineKind } from '../kind.ts'
import { resourceSliceRow } from './resourceslice-row.ts'
import { checkSlice } from './slice-rules.ts'

/** What a ResourceSlice does. */
export const resourceSliceDefinition = defineKind(resourceSlices, {
  row: resourceSliceRow,
  fields: { 'spec.driver': ({ spec }) => spec.driver, 'spec.nodeName': ({ spec }) => spec.nodeName ?? '' },
  prepareCreate: ({ spec }) => dropDisabled(spec),
  prepareUpdate: ({ spec }) => dropDisabled(spec),
  validate: ({ spec }, errors) => checkSlice(spec, undefined, errors),
  validateUpdate: ({ spec }, old, errors) => checkSlice(spec, old.spec, errors),
  warnings({ spec }) {
    const driver = spec?.driver ?? ''
    return driver === driver.toLowerCase()
      ? []
      : [`spec.driver: driver names should be lowercase; ${JSON.stringify(driver)} contains uppercase characters`]
  },
})

/** Removes what belongs to features that are off by default: taints, partitions, conditions of binding, shares. */
function dropDisabled(spec: ResourceSliceSpec | undefined): void {
  if (!spec) return
  delete spec.sharedCounters
  delete spec.perDeviceNodeSelection
  for (const device of spec.devices ?? []) {
    for (const name of [
      'taints',
      'consumesCounters',
      'nodeName',
      'nodeSelector',
      'allNodes',
      'bindingConditions',
      'bindingFailureConditions',
      'bindsToNode',
      'allowMultipleAllocations',
    ] as const)
      delete device[name]
    for (const capacity of Object.values(device.capacity ?? {})) delete capacity.requestPolicy
  }
}
