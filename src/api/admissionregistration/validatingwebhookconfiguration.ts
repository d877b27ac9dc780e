import { validatingWebhookConfigurations } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { equal } from '../validation/equal.ts'
import { validatingWebhookConfigurationRow } from './validatingwebhookconfiguration-row.ts'
import { checkWebhooks, defaultWebhooks } from './webhooks.ts'

/** What a ValidatingWebhookConfiguration does. */
export const validatingWebhookConfigurationDefinition = defineKind(validatingWebhookConfigurations, {
  row: validatingWebhookConfigurationRow,
  unconditionalUpdate: false,
  metadata: { finalizers: 'any', onUpdate: 'object' },
  generation: (configuration, old) => !equal(configuration.webhooks, old.webhooks),
  defaults: ({ webhooks }) => defaultWebhooks(webhooks),
  validate: ({ webhooks }, errors) => checkWebhooks(webhooks, undefined, errors),
  validateUpdate: ({ webhooks }, old, errors) => checkWebhooks(webhooks, old.webhooks ?? [], errors),
})
