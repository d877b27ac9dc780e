import { deviceClasses } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { deviceClassRow } from './deviceclass-row.ts'

/** What a DeviceClass does. */
export const deviceClassDefinition = defineKind(deviceClasses, {
  row: deviceClassRow,
})
