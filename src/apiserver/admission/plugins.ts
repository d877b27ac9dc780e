import type { Authorization } from '../authz/new-authorizer.ts'
import { escalation } from '../authz/escalation.ts'
import type { ApiServerOptions } from '../options.ts'
import type { Registry } from '../registry/registry.ts'
import type { AdmissionPlugin } from './admission.ts'
import { certificateApproval, certificateSigning, certificateSubjectRestriction } from './certificates.ts'
import { expressionLoader } from './expressions.ts'
import { limitRanger } from './limit-ranger.ts'
import { namespaceLifecycle } from './namespace-lifecycle.ts'
import { nodeRestriction } from './node-restriction.ts'
import { defaultTolerationSeconds, podTopologyLabels, priorityPlugin, runtimeClassPlugin, taintNodesByCondition } from './pod-defaults.ts'
import { podSecurity } from './pod-security/plugin.ts'
import { resourceQuota } from './quota/plugin.ts'
import { serviceAccountPlugin } from './service-account.ts'
import { defaultIngressClass, defaultStorageClass, persistentVolumeClaimResize, storageObjectInUseProtection } from './storage-defaults.ts'

/** The plugins in upstream's order, without those that are switched off. Rules that are no plugins upstream (RBAC's against escalation) cannot be. */
export function admissionPlugins(options: ApiServerOptions, registry: Registry, { authorizer, rbac }: Authorization): AdmissionPlugin[] {
  const disabled = new Set(options.disableAdmissionPlugins)
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
    resourceQuota(registry, options.clock),
  ]
  const plugins = [expressionLoader, ...ordered.filter(({ name }) => !disabled.has(name))]
  return rbac ? [...plugins, escalation(registry, authorizer, rbac)] : plugins
}
