import { replicaSets } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a ReplicaSet does. */
export const replicaSetDefinition = defineKind(replicaSets, {
  status: true,
  scale: { replicas: 'spec.replicas', statusReplicas: 'status.replicas', selector: 'spec.selector' },
  fields: { 'status.replicas': ({ status }) => String(status?.replicas ?? 0) },
})
