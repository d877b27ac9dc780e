import { volumeAttachments } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { volumeAttachmentRow } from './volumeattachment-row.ts'

/** What a VolumeAttachment does. */
export const volumeAttachmentDefinition = defineKind(volumeAttachments, {
  row: volumeAttachmentRow,
  status: true,
  generation: false,
  unconditionalUpdate: false,
})
