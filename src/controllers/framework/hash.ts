import { canonicalJson } from './equality.ts'

/** The letters of hashes in names and labels, as upstream's: no vowels, nothing that looks like another letter. */
const safeLetters = 'bcdfghjklmnpqrstvwxz2456789'

/** FNV-1a with 32 bits. */
export function fnv32a(text: string): number {
  let hash = 0x811c9dc5
  for (const byte of Buffer.from(text)) hash = Math.imul(hash ^ byte, 0x01000193)
  return hash >>> 0
}

/** A number as at most ten letters that are fit for a label. */
export const safeEncode = (number: number): string =>
  [...String(number)].map((digit) => safeLetters[digit.charCodeAt(0) % safeLetters.length]).join('')

/**
 * The hash that tells one pod template from another (`pod-template-hash`, `controller-revision-hash`). `collisions` makes another one
 * of the same template, for when two templates' hashes met. Upstream hashes Go's memory layout; nobody may depend on the value.
 */
export const templateHash = (template: unknown, collisions?: number): string =>
  safeEncode(fnv32a(canonicalJson(template) + (collisions === undefined ? '' : String(collisions))))
