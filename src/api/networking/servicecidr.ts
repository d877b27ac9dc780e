import { serviceCIDRs } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { keepMetadata } from '../status-metadata.ts'
import { type FieldErrors, field } from '../validation/field.ts'
import { checkCidr, parseCidr } from '../validation/ips.ts'
import { immutableText } from '../validation/names.ts'
import { serviceCIDRRow } from './servicecidr-row.ts'

/** What a ServiceCIDR does. */
export const serviceCIDRDefinition = defineKind(serviceCIDRs, {
  row: serviceCIDRRow,
  status: true,
  keepsStatusOnCreate: true,
  generation: false,
  prepareUpdate({ metadata }, old, { subresource }) {
    if (subresource === 'status') keepMetadata(metadata, old.metadata)
  },
  validate: ({ spec }, errors) => checkCidrs(spec?.cidrs ?? [], errors),
  validateUpdate({ spec }, old, errors, { subresource }) {
    if (subresource === 'status') return
    const [cidrs, before] = [spec?.cidrs ?? [], old.spec?.cidrs ?? []]
    const at = field('spec', 'cidrs')
    const grows = before.length === 1 && cidrs.length === 2
    if (before.length !== cidrs.length && !grows) return errors.invalid(at, cidrs, immutableText)
    before.forEach((cidr, i) => {
      if (cidr !== cidrs[i]) errors.invalid(at.index(i), cidrs[i], immutableText)
    })
    if (grows) checkCidrs(cidrs, errors)
  },
})

function checkCidrs(cidrs: readonly string[], errors: FieldErrors): void {
  const at = field('spec', 'cidrs')
  if (cidrs.length === 0) return errors.required(at, 'at least one CIDR required')
  if (cidrs.length > 2) return errors.invalid(at, { CIDRs: cidrs }, 'may only hold up to 2 values')
  cidrs.forEach((cidr, i) => checkCidr(cidr, at.index(i), errors))
  const [first, second] = cidrs.map((cidr) => parseCidr(cidr)?.ip.bytes.length)
  if (first !== undefined && first === second)
    errors.invalid(
      at,
      cidrs,
      'may specify no more than one IP for each IP family, i.e 192.168.0.0/24 and 2001:db8::/64',
    )
}
