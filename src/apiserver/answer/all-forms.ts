import type { Kind } from '../../api/kind.ts'
import type { Frozen, KubernetesObject } from '../../api/resource.ts'
import type { CacheEvent } from '../cache/cache.ts'
import { served } from '../verbs/core.ts'
import type { ListAnswer } from './answer.ts'
import type { Formed, FormOptions, Forms } from './forms.ts'
import { bookmarkObject, eventLine, formText, listObject } from './json-forms.ts'
import { contentTypes, type Format } from './negotiate.ts'

/** All forms that answers can take: JSON, YAML. */
export const allForms: Forms = {
  can: (format: Format): boolean => format.as === '' && format.encoding !== 'protobuf',
  object: (_kind: Kind, object: Frozen<KubernetesObject>, { format }: FormOptions): Formed => formText(object, format),
  list: (answer: ListAnswer, { format }: FormOptions): Formed => formText(listObject(answer), format),
  value: (value: Frozen<KubernetesObject>, { format }: FormOptions): Formed => formText(value, format),
  event: eventBytes,
  watchError: (status) => eventLine('ERROR', Buffer.from(JSON.stringify(status))),
  watchType: ({ encoding }: Format): string => (encoding === 'json' ? contentTypes.json : `${contentTypes[encoding]};stream=watch`),
}

function eventBytes(kind: Kind, event: CacheEvent): Uint8Array {
  if (!event.object || event.type === 'BOOKMARK') return eventLine('BOOKMARK', Buffer.from(JSON.stringify(bookmarkObject(kind, event))))
  if (!kind.storedAs) return eventLine(event.type, event.object.bytes)
  return eventLine(event.type, Buffer.from(JSON.stringify(served(kind, event.object.object))))
}
