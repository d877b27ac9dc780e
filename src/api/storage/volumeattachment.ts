import { volumeAttachments } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a VolumeAttachment does. */
export const volumeAttachmentDefinition = defineKind(volumeAttachments, {
  status: true,
  generation: false,
  unconditionalUpdate: false,
})
