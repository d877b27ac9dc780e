import { replicationControllers } from '../generated/resources.ts'
import type { ReplicationControllerSpec } from '../generated/types/core-v1.ts'
import { ensure } from '../draft.ts'
import { defineKind } from '../kind.ts'
import type { Frozen } from '../resource.ts'
import { matcherOfLabels } from '../selector/label.ts'
import { field, type FieldErrors } from '../validation/field.ts'
import { madeSubdomainErrors } from '../validation/names.ts'
import { checkNotNegative } from '../validation/numbers.ts'
import { checkReplicaStatus } from '../apps/replicaset.ts'
import { defaultPodTemplate } from './pod-spec/defaults.ts'
import { dropDisabledFields } from './pod-spec/disabled.ts'
import { checkPodTemplate } from './pod-spec/template.ts'
import { podWarnings } from './pod-spec/warnings.ts'
import { checkRunsForEver, checkTemplateLabels, hostnameWarnings } from './pod-spec/workloads.ts'
import { replicationControllerRow } from './replicationcontroller-row.ts'

/** What a ReplicationController does: the ReplicaSet's forerunner. */
export const replicationControllerDefinition = defineKind(replicationControllers, {
  row: replicationControllerRow,
  status: true,
  scale: { replicas: 'spec.replicas', statusReplicas: 'status.replicas', selector: 'spec.selector' },
  fields: { 'status.replicas': ({ status }) => String(status?.replicas ?? 0) },
  // Only the name that was made counts, not what it was made from.
  nameErrors: madeSubdomainErrors,
  defaults(controller) {
    const spec = ensure(controller, 'spec')
    const labels = spec.template?.metadata?.labels
    if (labels) {
      if (!Object.keys(spec.selector ?? {}).length) spec.selector = { ...labels }
      if (!Object.keys(controller.metadata.labels ?? {}).length) controller.metadata.labels = { ...labels }
    }
    spec.replicas ??= 1
    if (spec.template) defaultPodTemplate(spec.template)
  },
  prepareCreate: ({ spec }) => spec?.template?.spec && dropDisabledFields(spec.template.spec),
  prepareUpdate: ({ spec }, old) =>
    spec?.template?.spec && dropDisabledFields(spec.template.spec, old.spec?.template?.spec),
  validate: ({ spec }, errors) => checkSpec(spec, undefined, errors),
  validateUpdate({ spec, status }, old, errors, { subresource }) {
    if (subresource === 'status') checkReplicaStatus(status ?? {}, field('status'), errors)
    else checkSpec(spec, old.spec, errors)
  },
  warnings({ metadata, spec }, old) {
    if (old && metadata.generation === old.metadata.generation) return []
    return [
      ...(old ? [] : hostnameWarnings(metadata.name)),
      ...podWarnings(spec?.template?.spec, spec?.template?.metadata, field('spec', 'template')),
    ]
  },
})

function checkSpec(
  spec: Frozen<ReplicationControllerSpec> = {},
  old: Frozen<ReplicationControllerSpec> | undefined,
  errors: FieldErrors,
): void {
  const at = field('spec')
  const { selector = {}, template } = spec
  if (!Object.keys(selector).length) errors.required(at.child('selector'))
  checkNotNegative(spec, ['minReadySeconds', 'replicas'], at, errors)
  if (spec.replicas === undefined) errors.required(at.child('replicas'))
  if (!template) return errors.required(at.child('template'))
  checkTemplateLabels(matcherOfLabels(selector), template, at.child('template'), errors)
  checkPodTemplate(template, at.child('template'), errors, old?.template)
  checkRunsForEver(template, at.child('template'), errors, 'ReplicationController')
}
