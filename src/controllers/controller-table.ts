import { deploymentController } from './deployment/deployment-controller.ts'
import { endpointsController } from './endpoints/endpoints-controller.ts'
import { endpointSliceController } from './endpointslice/endpointslice-controller.ts'
import { endpointSliceMirroringController } from './endpointslicemirroring/endpointslice-mirroring-controller.ts'
import type { ControllerDescriptor } from './framework/descriptor.ts'
import { replicaSetController } from './replicaset/replicaset-controller.ts'
import { replicationControllerController } from './replicationcontroller/replicationcontroller-controller.ts'

/** Every controller, in the order in which they start. */
export const controllerTable: readonly ControllerDescriptor[] = [
  deploymentController,
  replicaSetController,
  replicationControllerController,
  endpointSliceController,
  endpointsController,
  endpointSliceMirroringController,
]
