import { volumeAttributesClasses } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a VolumeAttributesClass does. */
export const volumeAttributesClassDefinition = defineKind(volumeAttributesClasses, {
  generation: false,
})
