import { namespaces } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { dnsLabelErrors } from '../validation/names.ts'
import { namespaceRow } from './namespace-row.ts'

/** What a Namespace does. */
export const namespaceDefinition = defineKind(namespaces, {
  row: namespaceRow,
  status: true,
  generation: false,
  fields: { 'status.phase': ({ status }) => status?.phase ?? '' },
  nameErrors: dnsLabelErrors,
})
