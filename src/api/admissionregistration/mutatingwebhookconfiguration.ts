import { mutatingWebhookConfigurations } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a MutatingWebhookConfiguration does. */
export const mutatingWebhookConfigurationDefinition = defineKind(mutatingWebhookConfigurations, {
  unconditionalUpdate: false,
})
