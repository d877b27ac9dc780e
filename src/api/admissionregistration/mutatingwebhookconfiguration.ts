import { mutatingWebhookConfigurations } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { mutatingWebhookConfigurationRow } from './mutatingwebhookconfiguration-row.ts'

/** What a MutatingWebhookConfiguration does. */
export const mutatingWebhookConfigurationDefinition = defineKind(mutatingWebhookConfigurations, {
  row: mutatingWebhookConfigurationRow,
  unconditionalUpdate: false,
})
