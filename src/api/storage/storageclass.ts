import { storageClasses } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'

/** What a StorageClass does. */
export const storageClassDefinition = defineKind(storageClasses, {
  generation: false,
})
