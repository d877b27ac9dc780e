import { services } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { dns1035LabelErrors } from '../validation/names.ts'
import { serviceRow } from './service-row.ts'

/** What a Service does. */
export const serviceDefinition = defineKind(services, {
  row: serviceRow,
  status: true,
  generation: false,
  createOnUpdate: true,
  nameErrors: dns1035LabelErrors,
  fields: { 'spec.clusterIP': ({ spec }) => spec?.clusterIP ?? '', 'spec.type': ({ spec }) => spec?.type ?? '' },
})
