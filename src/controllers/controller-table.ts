import { deploymentController } from './deployment/deployment-controller.ts'
import { endpointsController } from './endpoints/endpoints-controller.ts'
import { endpointSliceController } from './endpointslice/endpointslice-controller.ts'
import { endpointSliceMirroringController } from './endpointslicemirroring/endpointslice-mirroring-controller.ts'
import type { ControllerDescriptor } from './framework/descriptor.ts'
import { garbageCollectorController } from './garbagecollector/garbage-collector.ts'
import { namespaceController } from './namespace/namespace-controller.ts'
import { replicaSetController } from './replicaset/replicaset-controller.ts'
import { replicationControllerController } from './replicationcontroller/replicationcontroller-controller.ts'
import { rootCaCertificatePublisher } from './rootcacert/root-ca-certificate-publisher.ts'
import { serviceAccountController } from './serviceaccount/serviceaccount-controller.ts'

/** Every controller, in the order in which they start: the garbage collector last, so that it shares the others' caches. */
export const controllerTable: readonly ControllerDescriptor[] = [
  deploymentController,
  replicaSetController,
  replicationControllerController,
  endpointSliceController,
  endpointsController,
  endpointSliceMirroringController,
  namespaceController,
  serviceAccountController,
  rootCaCertificatePublisher,
  garbageCollectorController,
]
