import { ensure } from '../draft.ts'
import { priorityLevelConfigurations } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { keepMetadata } from '../status-metadata.ts'
import { checkFlowConditions } from './conditions.ts'
import { checkPriorityLevel } from './prioritylevel-rules.ts'
import { priorityLevelConfigurationRow } from './prioritylevelconfiguration-row.ts'

/** What a PriorityLevelConfiguration does. */
export const priorityLevelConfigurationDefinition = defineKind(priorityLevelConfigurations, {
  row: priorityLevelConfigurationRow,
  status: true,
  metadata: { onUpdate: 'object' },
  defaults(level) {
    const { exempt, limited } = ensure(level, 'spec')
    if (exempt) {
      exempt.nominalConcurrencyShares ??= 0
      exempt.lendablePercent ??= 0
    }
    if (!limited) return
    limited.nominalConcurrencyShares ??= 30
    limited.lendablePercent ??= 0
    const queuing = limited.limitResponse?.queuing
    if (!queuing) return
    queuing.handSize ||= 8
    queuing.queues ||= 64
    queuing.queueLengthLimit ||= 50
  },
  prepareUpdate({ metadata }, old, { subresource }) {
    if (subresource === 'status') keepMetadata(metadata, old.metadata)
  },
  validate: checkPriorityLevel,
  validateUpdate(level, _old, errors, { subresource }) {
    if (subresource === 'status') checkFlowConditions(level.status?.conditions, errors)
    else checkPriorityLevel(level, errors)
  },
})
