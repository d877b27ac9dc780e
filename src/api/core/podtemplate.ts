import { podTemplates } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { podTemplateRow } from './podtemplate-row.ts'

/** What a PodTemplate does. */
export const podTemplateDefinition = defineKind(podTemplates, {
  row: podTemplateRow,
})
