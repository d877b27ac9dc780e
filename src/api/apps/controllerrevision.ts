import { controllerRevisions } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a ControllerRevision does. */
export const controllerRevisionDefinition = defineKind(controllerRevisions, {
  generation: false,
})
