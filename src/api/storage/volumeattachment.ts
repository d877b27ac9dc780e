import { checkVolumeSpec } from '../core/persistentvolume-spec.ts'
import { checkDriverName } from '../core/pod-spec/volume-sources.ts'
import { volumeAttachments } from '../generated/resources.ts'
import type { VolumeAttachment, VolumeAttachmentSource, VolumeError } from '../generated/types/storage-v1.ts'
import { defineKind } from '../kind.ts'
import type { Frozen } from '../resource.ts'
import { keepMetadata } from '../status-metadata.ts'
import { checkText } from '../validation/check.ts'
import { equal } from '../validation/equal.ts'
import { type FieldErrors, type FieldPath, field } from '../validation/field.ts'
import { immutableText, isSubdomain, rangeText } from '../validation/names.ts'
import { bytesOf } from './parameters.ts'
import { volumeAttachmentRow } from './volumeattachment-row.ts'

const metadataMax = 256 * 1024
const messageMax = 1024

/** What a VolumeAttachment does. */
export const volumeAttachmentDefinition = defineKind(volumeAttachments, {
  row: volumeAttachmentRow,
  status: true,
  generation: false,
  unconditionalUpdate: false,
  metadata: { onUpdate: 'object' },
  prepareUpdate({ metadata }, old, { subresource }) {
    if (subresource === 'status') keepMetadata(metadata, old.metadata)
  },
  validate(attachment, errors) {
    checkAttachment(attachment, errors)
    const { attacher, source } = attachment.spec ?? {}
    checkDriverName(attacher, field('spec', 'attacher'), errors)
    const name = source?.persistentVolumeName
    if (name !== undefined) checkText(isSubdomain, name, field('spec', 'source', 'persistentVolumeName'), errors)
  },
  validateUpdate(attachment, old, errors) {
    checkAttachment(attachment, errors)
    if (!equal(attachment.spec, old.spec)) errors.invalid(field('spec'), attachment.spec, immutableText)
  },
})

function checkAttachment({ spec, status }: Frozen<VolumeAttachment>, errors: FieldErrors): void {
  const at = field('spec')
  if (!spec?.attacher) errors.required(at.child('attacher'))
  checkSource(spec?.source ?? {}, at.child('source'), errors)
  checkText(isSubdomain, spec?.nodeName ?? '', at.child('nodeName'), errors)
  if (!status) return
  if (bytesOf(status.attachmentMetadata ?? {}) > metadataMax)
    errors.tooLong(field('status', 'attachmentMetadata'), metadataMax)
  for (const name of ['attachError', 'detachError'] as const)
    if (status[name]) checkError(status[name], field('status', name), errors)
}

function checkSource(
  { inlineVolumeSpec: inline, persistentVolumeName: name }: Frozen<VolumeAttachmentSource>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  const one = 'must specify exactly one of inlineVolumeSpec and persistentVolumeName'
  if (!inline && name === undefined) errors.required(at, one)
  else if (inline && name !== undefined) errors.forbidden(at, one)
  else if (inline) checkVolumeSpec(inline, { name: '', at: at.child('inlineVolumeSpec'), inline: true }, errors)
  else if (!name) errors.required(at.child('persistentVolumeName'), 'must specify non empty persistentVolumeName')
}

function checkError({ message = '', errorCode = 0 }: Frozen<VolumeError>, at: FieldPath, errors: FieldErrors): void {
  if (Buffer.byteLength(message) > messageMax) errors.tooLong(at.child('message'), metadataMax)
  if (errorCode < 0) errors.invalid(at.child('errorCode'), errorCode, rangeText(0, 2_147_483_647))
}
