import { statefulSets } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a StatefulSet does. */
export const statefulSetDefinition = defineKind(statefulSets, {
  status: true,
  scale: { replicas: 'spec.replicas', statusReplicas: 'status.replicas', selector: 'spec.selector' },
})
