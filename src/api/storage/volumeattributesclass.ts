import { volumeAttributesClasses } from '../generated/resources.ts'
import type { VolumeAttributesClass } from '../generated/types/storage-v1.ts'
import { defineKind } from '../kind.ts'
import type { Frozen } from '../resource.ts'
import { equal } from '../validation/equal.ts'
import { type FieldErrors, field } from '../validation/field.ts'
import { checkParameters, checkProvisioner } from './parameters.ts'
import { volumeAttributesClassRow } from './volumeattributesclass-row.ts'

/** What a VolumeAttributesClass does. */
export const volumeAttributesClassDefinition = defineKind(volumeAttributesClasses, {
  row: volumeAttributesClassRow,
  generation: false,
  metadata: { onUpdate: 'both' },
  validate: checkAttributesClass,
  validateUpdate(attributes, old, errors) {
    for (const name of ['driverName', 'parameters'] as const)
      if (!equal(attributes[name], old[name])) errors.forbidden(field(name), `updates to ${name} are forbidden.`)
    checkAttributesClass(attributes, errors)
  },
})

function checkAttributesClass({ driverName, parameters }: Frozen<VolumeAttributesClass>, errors: FieldErrors): void {
  checkProvisioner(driverName, field('driverName'), errors)
  checkParameters(parameters, field('parameters'), errors)
  if (!Object.keys(parameters ?? {}).length)
    errors.required(field('parameters'), 'must contain at least one key/value pair')
}
