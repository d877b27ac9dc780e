import { controllerRevisions } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { controllerRevisionRow } from './controllerrevision-row.ts'

/** What a ControllerRevision does. */
export const controllerRevisionDefinition = defineKind(controllerRevisions, {
  row: controllerRevisionRow,
  generation: false,
})
