import { autoscalerFromV1, autoscalerToV1 } from './autoscaling/conversion.ts'
import { bindingDefinition } from './core/binding.ts'
import { componentStatusDefinition } from './core/componentstatus.ts'
import { configMapDefinition } from './core/configmap.ts'
import { endpointsDefinition } from './core/endpoints.ts'
import { eventDefinition } from './core/event.ts'
import { limitRangeDefinition } from './core/limitrange.ts'
import { namespaceDefinition } from './core/namespace.ts'
import { nodeDefinition } from './core/node.ts'
import { persistentVolumeClaimDefinition } from './core/persistentvolumeclaim.ts'
import { persistentVolumeDefinition } from './core/persistentvolume.ts'
import { podDefinition } from './core/pod.ts'
import { podTemplateDefinition } from './core/podtemplate.ts'
import { replicationControllerDefinition } from './core/replicationcontroller.ts'
import { resourceQuotaDefinition } from './core/resourcequota.ts'
import { secretDefinition } from './core/secret.ts'
import { serviceAccountDefinition } from './core/serviceaccount.ts'
import { serviceDefinition } from './core/service.ts'
import { apiServiceDefinition } from './apiregistration/apiservice.ts'
import { controllerRevisionDefinition } from './apps/controllerrevision.ts'
import { daemonSetDefinition } from './apps/daemonset.ts'
import { deploymentDefinition } from './apps/deployment.ts'
import { replicaSetDefinition } from './apps/replicaset.ts'
import { statefulSetDefinition } from './apps/statefulset.ts'
import { eventV1Definition, fromCoreEvent, toCoreEvent } from './events/event.ts'
import { selfSubjectReviewDefinition } from './authentication/selfsubjectreview.ts'
import { tokenReviewDefinition } from './authentication/tokenreview.ts'
import { localSubjectAccessReviewDefinition } from './authorization/localsubjectaccessreview.ts'
import { selfSubjectAccessReviewDefinition } from './authorization/selfsubjectaccessreview.ts'
import { selfSubjectRulesReviewDefinition } from './authorization/selfsubjectrulesreview.ts'
import { subjectAccessReviewDefinition } from './authorization/subjectaccessreview.ts'
import { horizontalPodAutoscalerDefinition } from './autoscaling/horizontalpodautoscaler.ts'
import { horizontalPodAutoscalerV1Definition } from './autoscaling/horizontalpodautoscaler-v1.ts'
import { cronJobDefinition } from './batch/cronjob.ts'
import { jobDefinition } from './batch/job.ts'
import { certificateSigningRequestDefinition } from './certificates/certificatesigningrequest.ts'
import { ingressClassDefinition } from './networking/ingressclass.ts'
import { ingressDefinition } from './networking/ingress.ts'
import { ipAddressDefinition } from './networking/ipaddress.ts'
import { networkPolicyDefinition } from './networking/networkpolicy.ts'
import { serviceCIDRDefinition } from './networking/servicecidr.ts'
import { podDisruptionBudgetDefinition } from './policy/poddisruptionbudget.ts'
import { clusterRoleBindingDefinition } from './rbac/clusterrolebinding.ts'
import { clusterRoleDefinition } from './rbac/clusterrole.ts'
import { roleBindingDefinition } from './rbac/rolebinding.ts'
import { roleDefinition } from './rbac/role.ts'
import { csiDriverDefinition } from './storage/csidriver.ts'
import { csiNodeDefinition } from './storage/csinode.ts'
import { csiStorageCapacityDefinition } from './storage/csistoragecapacity.ts'
import { storageClassDefinition } from './storage/storageclass.ts'
import { volumeAttachmentDefinition } from './storage/volumeattachment.ts'
import { volumeAttributesClassDefinition } from './storage/volumeattributesclass.ts'
import { mutatingWebhookConfigurationDefinition } from './admissionregistration/mutatingwebhookconfiguration.ts'
import { validatingAdmissionPolicyDefinition } from './admissionregistration/validatingadmissionpolicy.ts'
import { validatingAdmissionPolicyBindingDefinition } from './admissionregistration/validatingadmissionpolicybinding.ts'
import { validatingWebhookConfigurationDefinition } from './admissionregistration/validatingwebhookconfiguration.ts'
import { customResourceDefinitionDefinition } from './apiextensions/customresourcedefinition.ts'
import { priorityClassDefinition } from './scheduling/priorityclass.ts'
import { leaseDefinition } from './coordination/lease.ts'
import { runtimeClassDefinition } from './node/runtimeclass.ts'
import { endpointSliceDefinition } from './discovery/endpointslice.ts'
import { deviceClassDefinition } from './resource/deviceclass.ts'
import { resourceClaimDefinition } from './resource/resourceclaim.ts'
import { resourceClaimTemplateDefinition } from './resource/resourceclaimtemplate.ts'
import { resourceSliceDefinition } from './resource/resourceslice.ts'
import { flowSchemaDefinition } from './flowcontrol/flowschema.ts'
import { priorityLevelConfigurationDefinition } from './flowcontrol/prioritylevelconfiguration.ts'
import { eventsV1, horizontalPodAutoscalersV1 } from './generated/resources.ts'
import type { KindDefinition } from './kind.ts'
import type { Frozen, KubernetesObject, Resource } from './resource.ts'
import type { StorageConversion } from './table.ts'

/** The behaviour of every built-in kind; its facts come from `facts/`, its schema from the compiled descriptors. */
export const kindDefinitions: readonly KindDefinition[] = [
  bindingDefinition,
  componentStatusDefinition,
  configMapDefinition,
  endpointsDefinition,
  eventDefinition,
  limitRangeDefinition,
  namespaceDefinition,
  nodeDefinition,
  persistentVolumeClaimDefinition,
  persistentVolumeDefinition,
  podDefinition,
  podTemplateDefinition,
  replicationControllerDefinition,
  resourceQuotaDefinition,
  secretDefinition,
  serviceAccountDefinition,
  serviceDefinition,
  apiServiceDefinition,
  controllerRevisionDefinition,
  daemonSetDefinition,
  deploymentDefinition,
  replicaSetDefinition,
  statefulSetDefinition,
  eventV1Definition,
  selfSubjectReviewDefinition,
  tokenReviewDefinition,
  localSubjectAccessReviewDefinition,
  selfSubjectAccessReviewDefinition,
  selfSubjectRulesReviewDefinition,
  subjectAccessReviewDefinition,
  horizontalPodAutoscalerDefinition,
  horizontalPodAutoscalerV1Definition,
  cronJobDefinition,
  jobDefinition,
  certificateSigningRequestDefinition,
  ingressClassDefinition,
  ingressDefinition,
  ipAddressDefinition,
  networkPolicyDefinition,
  serviceCIDRDefinition,
  podDisruptionBudgetDefinition,
  clusterRoleBindingDefinition,
  clusterRoleDefinition,
  roleBindingDefinition,
  roleDefinition,
  csiDriverDefinition,
  csiNodeDefinition,
  csiStorageCapacityDefinition,
  storageClassDefinition,
  volumeAttachmentDefinition,
  volumeAttributesClassDefinition,
  mutatingWebhookConfigurationDefinition,
  validatingAdmissionPolicyDefinition,
  validatingAdmissionPolicyBindingDefinition,
  validatingWebhookConfigurationDefinition,
  customResourceDefinitionDefinition,
  priorityClassDefinition,
  leaseDefinition,
  runtimeClassDefinition,
  endpointSliceDefinition,
  deviceClassDefinition,
  resourceClaimDefinition,
  resourceClaimTemplateDefinition,
  resourceSliceDefinition,
  flowSchemaDefinition,
  priorityLevelConfigurationDefinition,
]

/** How the kinds that are served in several versions turn into their stored form and back. */
export const storageConversions: readonly StorageConversion[] = [
  conversion(eventsV1, toCoreEvent, fromCoreEvent),
  conversion(horizontalPodAutoscalersV1, autoscalerFromV1, autoscalerToV1),
]

function conversion<Served extends KubernetesObject>(
  { group, version, plural }: Resource<Served>,
  toStored: (object: Frozen<Served>) => unknown,
  fromStored: (object: never) => unknown,
): StorageConversion {
  return {
    of: { group, version, plural },
    toStored: (object) => toStored(object as Frozen<Served>) as KubernetesObject,
    // The stored form has the type that the first function makes.
    fromStored: (object) => fromStored(object as never) as KubernetesObject,
  }
}
