import type { Schema } from './schema.ts'

/** The zero value of a plain (not pointer) scalar as JSON has it; undefined for what has none: times, bytes, structures, lists, maps, any JSON. */
export function zeroScalar(type: Schema['type']): string | number | boolean | undefined {
  switch (type) {
    case 'string':
      return ''
    case 'boolean':
      return false
    case 'int32':
    case 'int64':
    case 'double':
    case 'intOrString':
      return 0
    case 'quantity':
      return '0'
    default:
      return undefined
  }
}
