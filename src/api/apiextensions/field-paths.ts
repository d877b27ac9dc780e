import { itemsOf, type JsonSchema } from '../crd-schema/json-schema.ts'
import { additionalSchemaOf } from './schema-tree.ts'

/** The steps of a path such as `.spec.foo['a-b']` (or `.list[0]`), or nothing when it is no path. */
function stepsOf(path: string): string[] | undefined {
  const steps: string[] = []
  const step = /\.([^.[\]]+)|\['((?:[^'\\]|\\.)*)'\]|\[([0-9]+)\]/y
  while (step.lastIndex < path.length) {
    const match = step.exec(path)
    if (!match) return undefined
    steps.push(match[1] ?? match[2]?.replaceAll(/\\(.)/g, '$1') ?? `[${match[3]}]`)
  }
  return steps
}

/** What a path leads to in a schema. */
export interface FoundField {
  readonly schema: JsonSchema
  /** The path in one spelling. */
  readonly steps: readonly string[]
}

/** Follows a path through a schema; a text says why that is impossible. */
export function findField(path: string, root: JsonSchema, lists: boolean): FoundField | string {
  const steps = stepsOf(path)
  if (!steps?.length) return 'must be a field path that starts with a dot'
  let schema: JsonSchema | undefined = root
  for (const step of steps) {
    const index = step.startsWith('[')
    if (index && !lists) return 'array notation is not allowed'
    const next: JsonSchema | undefined = index
      ? itemsOf(schema)
      : (schema.properties?.[step] ??
          additionalSchemaOf(schema) ??
          (schema === root && metaSchema[step]) ??
          undefined) ||
        undefined
    if (!next) return `does not refer to a valid field: ${JSON.stringify(step)}`
    schema = next
  }
  return { schema, steps }
}

/** What every object has. */
const metaSchema: Readonly<Record<string, JsonSchema>> = {
  apiVersion: { type: 'string' },
  kind: { type: 'string' },
  metadata: { type: 'object', properties: { name: { type: 'string' }, generateName: { type: 'string' } } },
}

/** Why a rule's errors cannot be told of a path. */
export function fieldPathProblem(path: string, schema: JsonSchema): string | undefined {
  const found = findField(path, schema, true)
  return typeof found === 'string' ? found : undefined
}
