import { deployments } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a Deployment does. */
export const deploymentDefinition = defineKind(deployments, {
  status: true,
  scale: { replicas: 'spec.replicas', statusReplicas: 'status.replicas', selector: 'spec.selector' },
})
