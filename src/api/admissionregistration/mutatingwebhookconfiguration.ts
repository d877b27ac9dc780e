import { mutatingWebhookConfigurations } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { equal } from '../validation/equal.ts'
import { mutatingWebhookConfigurationRow } from './mutatingwebhookconfiguration-row.ts'
import { checkWebhooks, defaultWebhooks } from './webhooks.ts'

/** What a MutatingWebhookConfiguration does. */
export const mutatingWebhookConfigurationDefinition = defineKind(mutatingWebhookConfigurations, {
  row: mutatingWebhookConfigurationRow,
  unconditionalUpdate: false,
  metadata: { finalizers: 'any', onUpdate: 'object' },
  generation: (configuration, old) => !equal(configuration.webhooks, old.webhooks),
  defaults({ webhooks }) {
    defaultWebhooks(webhooks)
    for (const webhook of webhooks ?? []) webhook.reinvocationPolicy ??= 'Never'
  },
  validate: ({ webhooks }, errors) => checkWebhooks(webhooks, undefined, errors),
  validateUpdate: ({ webhooks }, old, errors) => checkWebhooks(webhooks, old.webhooks ?? [], errors),
})
