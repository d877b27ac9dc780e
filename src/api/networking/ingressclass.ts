import { ingressClasses } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What an IngressClass does. */
export const ingressClassDefinition = defineKind(ingressClasses, {
})
