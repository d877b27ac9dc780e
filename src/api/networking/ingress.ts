import { ingresses } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What an Ingress does. */
export const ingressDefinition = defineKind(ingresses, {
  status: true,
})
