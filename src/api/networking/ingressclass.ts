import { ingressClasses } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { ingressClassRow } from './ingressclass-row.ts'

/** What an IngressClass does. */
export const ingressClassDefinition = defineKind(ingressClasses, {
  row: ingressClassRow,
})
