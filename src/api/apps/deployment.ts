import { deployments } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { deploymentRow } from './deployment-row.ts'

/** What a Deployment does. */
export const deploymentDefinition = defineKind(deployments, {
  row: deploymentRow,
  status: true,
  scale: { replicas: 'spec.replicas', statusReplicas: 'status.replicas', selector: 'spec.selector' },
})
