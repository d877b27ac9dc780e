import { csiDrivers } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { csiDriverRow } from './csidriver-row.ts'

/** What a CSIDriver does. */
export const csiDriverDefinition = defineKind(csiDrivers, {
  row: csiDriverRow,
  generation: false,
  unconditionalUpdate: false,
})
