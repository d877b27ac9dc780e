import type { FieldErrors, FieldPath } from '../validation/field.ts'

/** How many bytes a manager's name may have. */
const nameBytesMax = 128

/** What Go does not call printable: all but letters, marks, numbers, punctuation, symbols and the space. */
const unprintable = /[^\p{L}\p{M}\p{N}\p{P}\p{S} ]/u

/** Who writes: the `fieldManager` parameter, '' when there is none, else what stands before the first slash of the user agent. */
export function managerOf(fieldManager: string, userAgent: string): string {
  if (fieldManager !== '') return fieldManager
  let out = ''
  let bytes = 0
  for (const letter of userAgent.split('/', 1)[0]!) {
    if (unprintable.test(letter)) continue
    bytes += Buffer.byteLength(letter)
    if (bytes > nameBytesMax) break
    out += letter
  }
  return out || 'unknown'
}

/** The rules for a manager's name: as the `fieldManager` parameter. */
export function validateFieldManager(name: string, errors: FieldErrors, at: FieldPath): void {
  if (Buffer.byteLength(name) > nameBytesMax) errors.tooLong(at, nameBytesMax)
  let position = 0
  for (const letter of name) {
    if (unprintable.test(letter))
      errors.invalid(at, name, `invalid character ${codePoint(letter)} (at position ${position})`)
    position += Buffer.byteLength(letter)
  }
}

const codePoint = (letter: string): string => `U+${letter.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}`
