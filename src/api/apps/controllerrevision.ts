import { controllerRevisions } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { equal } from '../validation/equal.ts'
import { field } from '../validation/field.ts'
import { immutableText } from '../validation/names.ts'
import { checkNotNegative } from '../validation/numbers.ts'
import { controllerRevisionRow } from './controllerrevision-row.ts'

/** What a ControllerRevision does: a snapshot of a template that never changes. */
export const controllerRevisionDefinition = defineKind(controllerRevisions, {
  row: controllerRevisionRow,
  generation: false,
  metadata: { onUpdate: 'both' },
  validate(revision, errors) {
    checkNotNegative(revision, ['revision'], field(), errors)
    const data: unknown = revision.data
    if (data === undefined || data === null) errors.required(field('data'), 'data is mandatory')
    else if (typeof data !== 'object' || Array.isArray(data))
      errors.required(field('data'), 'data must be a valid JSON object')
  },
  validateUpdate(revision, old, errors) {
    checkNotNegative(revision, ['revision'], field(), errors)
    if (!equal(revision.data, old.data)) errors.invalid(field('data'), revision.data, immutableText)
  },
})
