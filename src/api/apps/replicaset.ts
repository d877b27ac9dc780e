import { replicaSets } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { replicaSetRow } from './replicaset-row.ts'

/** What a ReplicaSet does. */
export const replicaSetDefinition = defineKind(replicaSets, {
  row: replicaSetRow,
  status: true,
  scale: { replicas: 'spec.replicas', statusReplicas: 'status.replicas', selector: 'spec.selector' },
  fields: { 'status.replicas': ({ status }) => String(status?.replicas ?? 0) },
})
