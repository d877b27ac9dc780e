import { ipAddresses } from '../generated/resources.ts'
import type { IPAddress } from '../generated/types/networking-v1.ts'
import { defineKind } from '../kind.ts'
import type { Frozen } from '../resource.ts'
import { checkImmutable, checkRequiredText, checkText, isPathSegment } from '../validation/check.ts'
import { FieldErrors, field } from '../validation/field.ts'
import { checkIp } from '../validation/ips.ts'
import { isSubdomain } from '../validation/names.ts'
import { ipAddressRow } from './ipaddress-row.ts'

/** What an IPAddress does: its name is the address that it claims for its parent. */
export const ipAddressDefinition = defineKind(ipAddresses, {
  row: ipAddressRow,
  generation: false,
  metadata: { onUpdate: 'both', generateName: 'verbatim' },
  nameErrors: addressErrors,
  validate: checkAddress,
  validateUpdate(address, old, errors) {
    checkAddress(address, errors)
    checkImmutable(address.spec?.parentRef, old.spec?.parentRef, field('spec', 'parentRef'), errors)
  },
})

function addressErrors(name: string): string[] {
  const errors = new FieldErrors()
  checkIp(name, field('name'), errors)
  return errors.list.map(({ message }) => message.slice(`Invalid value: ${JSON.stringify(name)}: `.length))
}

function checkAddress({ spec }: Frozen<IPAddress>, errors: FieldErrors): void {
  const at = field('spec', 'parentRef')
  const parent = spec?.parentRef
  if (!parent) return errors.required(at)
  if (parent.group) checkText(isSubdomain, parent.group, at.child('group'), errors)
  checkRequiredText(isPathSegment, parent.resource, at.child('resource'), errors)
  checkRequiredText(isPathSegment, parent.name, at.child('name'), errors)
  if (parent.namespace) checkText(isPathSegment, parent.namespace, at.child('namespace'), errors)
}
