import { volumeAttributesClasses } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { volumeAttributesClassRow } from './volumeattributesclass-row.ts'

/** What a VolumeAttributesClass does. */
export const volumeAttributesClassDefinition = defineKind(volumeAttributesClasses, {
  row: volumeAttributesClassRow,
  generation: false,
})
