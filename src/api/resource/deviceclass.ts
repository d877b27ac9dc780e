import { deviceClasses } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a DeviceClass does. */
export const deviceClassDefinition = defineKind(deviceClasses, {
})
