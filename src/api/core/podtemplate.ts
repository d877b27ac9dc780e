import { podTemplates } from '../generated/resources.ts'
import { ensure } from '../draft.ts'
import { defineKind } from '../kind.ts'
import { field } from '../validation/field.ts'
import { defaultPodTemplate } from './pod-spec/defaults.ts'
import { dropDisabledFields } from './pod-spec/disabled.ts'
import { checkPodTemplate } from './pod-spec/template.ts'
import { podWarnings } from './pod-spec/warnings.ts'
import { podTemplateRow } from './podtemplate-row.ts'

/** What a PodTemplate does. */
export const podTemplateDefinition = defineKind(podTemplates, {
  row: podTemplateRow,
  defaults: (object) => defaultPodTemplate(ensure(object, 'template')),
  prepareCreate: ({ template }) => template?.spec && dropDisabledFields(template.spec),
  prepareUpdate: ({ template }, old) => template?.spec && dropDisabledFields(template.spec, old.template?.spec),
  validate: ({ template }, errors) => checkPodTemplate(template, field('template'), errors),
  validateUpdate: ({ template }, old, errors) => checkPodTemplate(template, field('template'), errors, old.template),
  warnings: ({ metadata, template }, old) =>
    old && metadata.generation === old.metadata.generation
      ? []
      : podWarnings(template?.spec, template?.metadata, field('template')),
})
