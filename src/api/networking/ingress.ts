import { ingresses } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { ingressRow } from './ingress-row.ts'

/** What an Ingress does. */
export const ingressDefinition = defineKind(ingresses, {
  row: ingressRow,
  status: true,
})
