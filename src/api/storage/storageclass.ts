import { storageClasses } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { storageClassRow } from './storageclass-row.ts'

/** What a StorageClass does. */
export const storageClassDefinition = defineKind(storageClasses, {
  row: storageClassRow,
  generation: false,
})
