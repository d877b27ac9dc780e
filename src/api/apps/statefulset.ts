import { statefulSets } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { statefulSetRow } from './statefulset-row.ts'

/** What a StatefulSet does. */
export const statefulSetDefinition = defineKind(statefulSets, {
  row: statefulSetRow,
  status: true,
  scale: { replicas: 'spec.replicas', statusReplicas: 'status.replicas', selector: 'spec.selector' },
})
