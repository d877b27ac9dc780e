import { replicationControllers } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { replicationControllerRow } from './replicationcontroller-row.ts'

/** What a ReplicationController does. */
export const replicationControllerDefinition = defineKind(replicationControllers, {
  row: replicationControllerRow,
  status: true,
  scale: { replicas: 'spec.replicas', statusReplicas: 'status.replicas', selector: 'spec.selector' },
  fields: { 'status.replicas': ({ status }) => String(status?.replicas ?? 0) },
})
