import { validatingWebhookConfigurations } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a ValidatingWebhookConfiguration does. */
export const validatingWebhookConfigurationDefinition = defineKind(validatingWebhookConfigurations, {
  unconditionalUpdate: false,
})
