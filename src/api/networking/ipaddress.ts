import { ipAddresses } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { ipAddressRow } from './ipaddress-row.ts'

/** What an IPAddress does. */
export const ipAddressDefinition = defineKind(ipAddresses, {
  row: ipAddressRow,
  generation: false,
})
