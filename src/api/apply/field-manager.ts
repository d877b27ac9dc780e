import type { ManagedFieldsEntry } from '../generated/types/meta-v1.ts'
import type { Frozen } from '../resource.ts'
import type { FieldErrors, FieldPath } from '../validation/field.ts'

/** How many bytes a manager's name may have. */
const nameBytesMax = 128
const subresourceBytesMax = 256

const unprintable = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u

/** Who writes: the `fieldManager` parameter, else what stands before the first slash of the user agent. */
export function managerOf(fieldManager: string | undefined, userAgent: string | undefined): string {
  if (fieldManager) return fieldManager
  let out = ''
  let bytes = 0
  for (const letter of (userAgent ?? '').split('/', 1)[0]!) {
    if (unprintable.test(letter)) continue
    bytes += Buffer.byteLength(letter)
    if (bytes > nameBytesMax) break
    out += letter
  }
  return out
}

/** The rules for a manager's name: as the `fieldManager` parameter and in managed fields. */
export function validateFieldManager(name: string, errors: FieldErrors, at: FieldPath): void {
  if (Buffer.byteLength(name) > nameBytesMax) errors.tooLong(at, nameBytesMax)
  let position = 0
  for (const letter of name) {
    if (unprintable.test(letter)) errors.invalid(at, name, `invalid character ${codePoint(letter)} (at position ${position})`)
    position += Buffer.byteLength(letter)
  }
}

const codePoint = (letter: string): string => `U+${letter.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`

/** The rules for the managed fields of an object that is about to be stored. */
export function validateManagedFields(entries: readonly Frozen<ManagedFieldsEntry>[], errors: FieldErrors, at: FieldPath): void {
  entries.forEach(({ operation, fieldsType, manager, subresource }, i) => {
    const path = at.index(i)
    if (operation !== 'Apply' && operation !== 'Update') errors.invalid(path.child('operation'), operation ?? '', 'must be `Apply` or `Update`')
    if (fieldsType && fieldsType !== 'FieldsV1') errors.invalid(path.child('fieldsType'), fieldsType, 'must be `FieldsV1`')
    validateFieldManager(manager ?? '', errors, path.child('manager'))
    if (Buffer.byteLength(subresource ?? '') > subresourceBytesMax) errors.tooLong(path.child('subresource'), subresourceBytesMax)
  })
}
