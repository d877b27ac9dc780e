import { configMaps } from '../generated/resources.ts'
import type { ConfigMap } from '../generated/types/core-v1.ts'
import { defineKind } from '../kind.ts'
import type { Frozen } from '../resource.ts'
import { equal } from '../validation/equal.ts'
import { field, type FieldErrors, nowhere } from '../validation/field.ts'
import { isConfigMapKey } from '../validation/names.ts'
import { configMapRow } from './configmap-row.ts'

/** All values together. Secrets have the same limit. */
export const dataBytesMax = 1024 * 1024
export const fixedText = 'field is immutable when `immutable` is set'

/** What a ConfigMap does. */
export const configMapDefinition = defineKind(configMaps, {
  row: configMapRow,
  generation: false,
  metadata: { onUpdate: 'both' },
  validate: checkData,
  validateUpdate(configMap, old, errors) {
    if (old.immutable) {
      if (!configMap.immutable) errors.forbidden(field('immutable'), fixedText)
      for (const name of ['data', 'binaryData'] as const)
        if (!equal(configMap[name] ?? {}, old[name] ?? {})) errors.forbidden(field(name), fixedText)
    }
    checkData(configMap, errors)
  },
})

function checkData({ data, binaryData }: Frozen<ConfigMap>, errors: FieldErrors): void {
  let bytes = 0
  for (const key in data) {
    for (const text of isConfigMapKey(key)) errors.invalid(field('data').key(key), key, text)
    if (binaryData?.[key] !== undefined)
      errors.invalid(field('data').key(key), key, 'duplicate of key present in binaryData')
    bytes += Buffer.byteLength(data[key] ?? '')
  }
  for (const key in binaryData) {
    for (const text of isConfigMapKey(key)) errors.invalid(field('binaryData').key(key), key, text)
    bytes += base64Bytes(binaryData[key] ?? '')
  }
  if (bytes > dataBytesMax) errors.tooLong(nowhere(), dataBytesMax)
}

/** How many bytes base64 stands for. */
export const base64Bytes = (text: string): number => Buffer.byteLength(text, 'base64')
