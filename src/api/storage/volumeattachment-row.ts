import type { VolumeAttachment } from '../generated/types/storage-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { age, name } from '../table-format/cells.ts'

/** What `kubectl get volumeattachments` shows. */
export function volumeAttachmentRow(attachment: Frozen<VolumeAttachment>, nowMs: number): Cell[] {
  const { spec, status } = attachment
  return [
    name(attachment),
    spec?.attacher ?? '',
    spec?.source?.persistentVolumeName ?? '',
    spec?.nodeName ?? '',
    status?.attached ?? false,
    age(attachment, nowMs),
  ]
}
