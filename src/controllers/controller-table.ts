import { bootstrapSignerController } from './bootstraptoken/bootstrap-signer-controller.ts'
import { tokenCleanerController } from './bootstraptoken/token-cleaner-controller.ts'
import { clusterRoleAggregationController } from './clusterroleaggregation/clusterrole-aggregation-controller.ts'
import { cronJobController } from './cronjob/cronjob-controller.ts'
import { csrApprovingController } from './csr/csr-approving-controller.ts'
import { csrCleanerController } from './csr/csr-cleaner-controller.ts'
import { csrSigningController } from './csr/csr-signing-controller.ts'
import { daemonSetController } from './daemonset/daemonset-controller.ts'
import { deploymentController } from './deployment/deployment-controller.ts'
import { disruptionController } from './disruption/disruption-controller.ts'
import { endpointsController } from './endpoints/endpoints-controller.ts'
import { endpointSliceController } from './endpointslice/endpointslice-controller.ts'
import { endpointSliceMirroringController } from './endpointslicemirroring/endpointslice-mirroring-controller.ts'
import { ephemeralVolumeController } from './ephemeralvolume/ephemeral-volume-controller.ts'
import type { ControllerDescriptor } from './framework/descriptor.ts'
import { garbageCollectorController } from './garbagecollector/garbage-collector.ts'
import { jobController } from './job/job-controller.ts'
import { legacyServiceAccountTokenCleanerController } from './legacytokencleaner/legacy-token-cleaner-controller.ts'
import { namespaceController } from './namespace/namespace-controller.ts'
import { nodeIpamController } from './nodeipam/node-ipam-controller.ts'
import { nodeLifecycleController } from './nodelifecycle/node-lifecycle-controller.ts'
import { horizontalPodAutoscalerController } from './podautoscaler/horizontal-pod-autoscaler-controller.ts'
import { persistentVolumeBinderController } from './persistentvolume/persistentvolume-binder-controller.ts'
import { podGarbageCollectorController } from './podgc/pod-garbage-collector.ts'
import { replicaSetController } from './replicaset/replicaset-controller.ts'
import { replicationControllerController } from './replicationcontroller/replicationcontroller-controller.ts'
import { resourceQuotaController } from './resourcequota/resourcequota-controller.ts'
import { rootCaCertificatePublisher } from './rootcacert/root-ca-certificate-publisher.ts'
import { serviceAccountController } from './serviceaccount/serviceaccount-controller.ts'
import { serviceAccountTokenController } from './serviceaccounttoken/serviceaccount-token-controller.ts'
import { serviceCidrController } from './servicecidr/service-cidr-controller.ts'
import { statefulSetController } from './statefulset/statefulset-controller.ts'
import { taintEvictionController } from './tainteviction/taint-eviction-controller.ts'
import { ttlController } from './ttl/ttl-controller.ts'
import { ttlAfterFinishedController } from './ttlafterfinished/ttl-after-finished-controller.ts'
import { volumeAttributesClassProtectionController } from './vacprotection/vac-protection-controller.ts'
import { persistentVolumeClaimProtectionController } from './volumeprotection/claim-protection-controller.ts'
import { persistentVolumeProtectionController } from './volumeprotection/volume-protection-controller.ts'

/** Every controller, in the order in which they start: the garbage collector last, so that it shares the others' caches. */
export const controllerTable: readonly ControllerDescriptor[] = [
  serviceAccountController,
  rootCaCertificatePublisher,
  namespaceController,
  deploymentController,
  replicaSetController,
  replicationControllerController,
  daemonSetController,
  statefulSetController,
  jobController,
  cronJobController,
  disruptionController,
  resourceQuotaController,
  endpointSliceController,
  endpointsController,
  endpointSliceMirroringController,
  nodeIpamController,
  nodeLifecycleController,
  taintEvictionController,
  podGarbageCollectorController,
  clusterRoleAggregationController,
  ttlController,
  ttlAfterFinishedController,
  horizontalPodAutoscalerController,
  persistentVolumeBinderController,
  persistentVolumeClaimProtectionController,
  persistentVolumeProtectionController,
  volumeAttributesClassProtectionController,
  ephemeralVolumeController,
  serviceCidrController,
  csrApprovingController,
  csrSigningController,
  csrCleanerController,
  serviceAccountTokenController,
  legacyServiceAccountTokenCleanerController,
  bootstrapSignerController,
  tokenCleanerController,
  garbageCollectorController,
]
