import type { Column } from '../kind.ts'
import type { Frozen, KubernetesObject } from '../resource.ts'
import type { Cell } from './cells.ts'
import { since } from './cells.ts'
import { compileJsonPath } from './json-path.ts'

/** A printer column as a definition of a custom kind has it (`additionalPrinterColumns`). */
export interface PrinterColumn {
  readonly name: string
  readonly type: string
  readonly format?: string | undefined
  readonly description?: string | undefined
  readonly priority?: number | undefined
  readonly jsonPath: string
}

/** What a custom kind shows: columns for `Kind.columns`, and `row` for its behaviour. */
export interface CustomColumns {
  readonly columns: readonly Column[]
  readonly row: (object: Frozen<KubernetesObject>, nowMs: number) => Cell[]
}

/** What is shown where a definition names no columns. */
export const agePrinterColumn: PrinterColumn = { name: 'Age', type: 'date', jsonPath: '.metadata.creationTimestamp' }

/** The columns of a custom kind: its name, then those of the definition. A path that cannot be read, and all columns after it, are left out, as upstream does. */
export function customColumns(printed: readonly PrinterColumn[] | null | undefined): CustomColumns {
  const columns: Column[] = [{ name: 'Name', type: 'string', format: 'name', priority: 0 }]
  const cells: ((object: unknown, nowMs: number) => Cell)[] = []
  for (const column of printed && printed.length > 0 ? printed : [agePrinterColumn]) {
    const find = pathOf(column.jsonPath)
    if (!find) break
    columns.push({
      name: column.name,
      type: column.type,
      format: column.format ?? '',
      priority: column.priority ?? 0,
      description: column.description || `Custom resource definition column (in JSONPath format): ${column.jsonPath}`,
    })
    cells.push((object, nowMs) => cellOf(column.type, find(object)[0], nowMs))
  }
  return { columns, row: (object, nowMs) => [object.metadata?.name ?? '', ...cells.map((cell) => cell(object, nowMs))] }
}

function pathOf(path: string): ((object: unknown) => readonly unknown[]) | undefined {
  try {
    return compileJsonPath(path)
  } catch (error) {
    if (error instanceof SyntaxError) return undefined
    throw error
  }
}

function cellOf(type: string, value: unknown, nowMs: number): Cell {
  if (value === undefined || value === null) return null
  switch (type) {
    case 'integer':
      return typeof value === 'number' ? Math.trunc(value) : null
    case 'number':
      return typeof value === 'number' ? value : null
    case 'boolean':
      return typeof value === 'boolean' ? value : null
    case 'string':
      return typeof value === 'object' ? JSON.stringify(value) : String(value)
    case 'date':
      return typeof value === 'string' ? dateCell(value, nowMs) : null
    default:
      return null
  }
}

const rfc3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)$/

function dateCell(value: string, nowMs: number): string {
  if (value === '') return '<unknown>'
  return rfc3339.test(value) && !Number.isNaN(Date.parse(value)) ? since(value, nowMs) : '<invalid>'
}
