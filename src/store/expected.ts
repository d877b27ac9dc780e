import type { Entry, Expected } from './store.ts'

/** Whether a write's condition holds for what is there. */
export function holds(expected: Expected, current: Pick<Entry, 'modRevision'> | undefined): boolean {
  if (expected === 'any') return true
  return expected === 'absent' ? current === undefined : current?.modRevision === expected
}
