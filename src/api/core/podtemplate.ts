import { podTemplates } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a PodTemplate does. */
export const podTemplateDefinition = defineKind(podTemplates, {
})
