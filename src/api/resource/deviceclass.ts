import { isExtended } from '../core/resource-names.ts'
import { deviceClasses } from '../generated/resources.ts'
import type { DeviceClass } from '../generated/types/resource-v1.ts'
import { defineKind } from '../kind.ts'
import type { Frozen } from '../resource.ts'
import { equal } from '../validation/equal.ts'
import { type FieldErrors, field } from '../validation/field.ts'
import { madeSubdomainErrors } from '../validation/names.ts'
import { checkConfiguration, checkSelectors } from './device-config.ts'
import { deviceClassRow } from './deviceclass-row.ts'

const configMax = 32

/** What a DeviceClass does. */
export const deviceClassDefinition = defineKind(deviceClasses, {
  row: deviceClassRow,
  nameErrors: madeSubdomainErrors,
  metadata: { onUpdate: 'both' },
  // Devices as extended resources are off by default.
  prepareCreate: ({ spec }) => spec && delete spec.extendedResourceName,
  prepareUpdate({ spec }, old) {
    if (spec && old.spec?.extendedResourceName === undefined) delete spec.extendedResourceName
  },
  validate: (deviceClass, errors) => checkClass(deviceClass, undefined, errors),
  validateUpdate: checkClass,
})

function checkClass({ spec }: Frozen<DeviceClass>, old: Frozen<DeviceClass> | undefined, errors: FieldErrors): void {
  const at = field('spec')
  const { selectors, config, extendedResourceName: name } = spec ?? {}
  checkSelectors(selectors, at.child('selectors'), errors)
  const stored = !!old && equal(config, old.spec?.config)
  if (config && config.length > configMax) errors.tooMany(at.child('config'), config.length, configMax)
  else config?.forEach((each, i) => checkConfiguration(each, at.child('config').index(i), errors, stored))
  if (name !== undefined && !isExtended(name))
    errors.invalid(at.child('extendedResourceName'), name, 'must be a valid extended resource name')
}
