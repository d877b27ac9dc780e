import type { MutatingWebhookConfiguration } from '../generated/types/admissionregistration-v1.ts'
import type { Frozen } from '../resource.ts'
import type { Cell } from '../table-format/cells.ts'
import { age, name } from '../table-format/cells.ts'

/** What `kubectl get mutatingwebhookconfigurations` shows. */
export const mutatingWebhookConfigurationRow = (
  configuration: Frozen<MutatingWebhookConfiguration>,
  nowMs: number,
): Cell[] => [name(configuration), configuration.webhooks?.length ?? 0, age(configuration, nowMs)]
