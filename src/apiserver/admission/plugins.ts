import type { Authorization } from '../authz/new-authorizer.ts'
import { escalation } from '../authz/escalation.ts'
import type { ApiServerOptions } from '../options.ts'
import type { Registry } from '../registry/registry.ts'
import type { KindTable } from '../../api/table.ts'
import type { AdmissionPlugin } from './admission.ts'
import { validatingPolicies } from './policy/plugin.ts'
import { mutatingWebhooks, validatingWebhooks, type WebhookParts } from './webhook/webhooks.ts'
import { certificateApproval, certificateSigning, certificateSubjectRestriction } from './certificates.ts'
import { expressionLoader } from './expressions.ts'
import { limitRanger } from './limit-ranger.ts'
import { namespaceLifecycle } from './namespace-lifecycle.ts'
import { nodeRestriction } from './node-restriction.ts'
import {
  defaultTolerationSeconds,
  podTopologyLabels,
  priorityPlugin,
  runtimeClassPlugin,
  taintNodesByCondition,
} from './pod-defaults.ts'
import { podSecurity } from './pod-security/plugin.ts'
import { resourceQuota } from './quota/plugin.ts'
import { terminatingDefinition } from './terminating-definition.ts'
import { serviceAccountPlugin } from './service-account.ts'
import {
  defaultIngressClass,
  defaultStorageClass,
  persistentVolumeClaimResize,
  storageObjectInUseProtection,
} from './storage-defaults.ts'

/** The plugins in upstream's order, without those that are switched off. Rules that are no plugins upstream (RBAC's against escalation) cannot be. */
export function admissionPlugins(
  options: ApiServerOptions,
  { registry, kinds }: { registry: Registry; kinds: KindTable },
  { authorizer, rbac }: Authorization,
): AdmissionPlugin[] {
  const disabled = new Set(options.disableAdmissionPlugins)
  const { clock, random, log, metrics } = options
  const webhookParts: WebhookParts = { clock, random, log, metrics, registry, kinds, authorizer, others: () => own }
  const ordered: AdmissionPlugin[] = [
    namespaceLifecycle(registry),
    limitRanger(registry),
    serviceAccountPlugin(registry, options),
    nodeRestriction(registry),
    taintNodesByCondition,
    podSecurity(registry),
    priorityPlugin(registry),
    defaultTolerationSeconds,
    defaultStorageClass(registry),
    storageObjectInUseProtection,
    persistentVolumeClaimResize(registry),
    runtimeClassPlugin(registry),
    certificateApproval(authorizer),
    certificateSigning(authorizer),
    certificateSubjectRestriction,
    defaultIngressClass(registry),
    podTopologyLabels(registry),
    mutatingWebhooks(webhookParts),
    validatingPolicies(webhookParts),
    validatingWebhooks(webhookParts),
    resourceQuota(registry, options.clock),
  ]
  const plugins = [
    expressionLoader,
    terminatingDefinition(registry),
    ...ordered.filter(({ name }) => !disabled.has(name)),
  ]
  const own = plugins.filter(({ name }) => name !== 'MutatingAdmissionWebhook')
  return rbac ? [...plugins, escalation(registry, authorizer, rbac)] : plugins
}
