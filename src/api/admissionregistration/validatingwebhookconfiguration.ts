import { validatingWebhookConfigurations } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { validatingWebhookConfigurationRow } from './validatingwebhookconfiguration-row.ts'

/** What a ValidatingWebhookConfiguration does. */
export const validatingWebhookConfigurationDefinition = defineKind(validatingWebhookConfigurations, {
  row: validatingWebhookConfigurationRow,
  unconditionalUpdate: false,
})
