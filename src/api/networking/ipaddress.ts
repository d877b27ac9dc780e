import { ipAddresses } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What an IPAddress does. */
export const ipAddressDefinition = defineKind(ipAddresses, {
  generation: false,
})
