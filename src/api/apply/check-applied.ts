import { badRequest } from '../errors/api-error.ts'
import type { ListSchema, Schema, StructSchema } from '../schema/schema.ts'
import { pathText } from './path-element.ts'
import { isMap } from './nothing.ts'
import type { ListShape } from './shape.ts'
import { elementStep, shapeOf } from './shape.ts'

/** How deep an applied object may be nested. */
const depthMax = 500

type Path = readonly string[]
type Problem = string

/**
 * Checks that what was applied fits the schema: unknown fields, wrong types, elements without keys, the same key twice. Upstream answers these with 500 and this text;
 * the fault being the client's, they are a 400 here.
 */
export function checkApplied(schema: StructSchema, applied: unknown, about: string): void {
  const problems: Problem[] = []
  check(schema, applied, [], problems)
  if (problems.length === 0) return
  const text = problems.length === 1 ? problems[0]! : `errors:\n${problems.map((problem) => `  ${problem}`).join('\n')}`
  throw badRequest(`failed to create typed patch object (${about}): ${text}`)
}

/** How many problems are told of. */
const problemsMax = 20

function check(schema: Schema, value: unknown, path: Path, problems: Problem[]): void {
  if (value === null || value === undefined || problems.length >= problemsMax) return
  if (path.length > depthMax) return void problems.push(`${pathText(path.slice(0, 10))}: nested too deeply`)
  switch (schema.type) {
    case 'struct':
      return checkStruct(schema, value, path, problems)
    case 'map':
      if (!isMap(value)) return wrong('map', value, path, problems)
      for (const key in value) check(schema.values, value[key], [...path, `f:${key}`], problems)
      return
    case 'list':
      if (!Array.isArray(value)) return wrong('list', value, path, problems)
      return checkList(schema, value, path, problems)
    default:
      return checkScalar(schema.type, value, path, problems)
  }
}

function wrong(expected: string, value: unknown, path: Path, problems: Problem[]): void {
  problems.push(
    `${pathText(path)}: expected ${expected}, got &{${isMap(value) || Array.isArray(value) ? JSON.stringify(value) : String(value)}}`,
  )
}

function checkStruct(schema: StructSchema, value: unknown, path: Path, problems: Problem[]): void {
  if (!isMap(value)) return wrong('map', value, path, problems)
  for (const name in value) {
    const field = schema.fields.get(name)
    const at = [...path, `f:${name}`]
    if (field) check(field.schema, value[name], at, problems)
    else if (
      !schema.preserveUnknown &&
      !(schema.embedded && (name === 'apiVersion' || name === 'kind' || name === 'metadata'))
    )
      problems.push(`${pathText(at)}: field not declared in schema`)
  }
}

function checkList(schema: ListSchema, list: readonly unknown[], path: Path, problems: Problem[]): void {
  const shape = shapeOf(schema)
  if (shape.kind !== 'list')
    return list.forEach((element, i) => check(schema.items, element, [...path, `i:${i}`], problems))
  const seen = new Set<string>()
  list.forEach((element, i) => {
    const problem = elementProblem(shape, element)
    if (problem) return void problems.push(`${pathText(path)}: element ${i}: ${problem}`)
    const step = elementStep(shape, element)
    if (seen.has(step)) return void problems.push(`${pathText(path)}: duplicate entries for key ${pathText([step])}`)
    seen.add(step)
    check(schema.items, element, [...path, step], problems)
  })
}

function elementProblem(list: ListShape, element: unknown): string | undefined {
  if (!list.keys) {
    if (element === null) return "associative list without keys has an element that's an explicit null"
    if (Array.isArray(element)) return 'not supported: associative list with lists as elements'
    return typeof element === 'object' ? "associative list without keys has an element that's a map type" : undefined
  }
  if (element === null) return 'associative list with keys may not have a null element'
  if (!isMap(element)) return 'associative list with keys may not have non-map elements'
  if (list.keys.some(({ name, absent }) => (element[name] ?? absent) !== undefined)) return undefined
  const names = list.keys.map(({ name }) => JSON.stringify(name)).join(' ')
  return `associative list with keys has an element that omits all key fields [${names}] (and doesn't have default values for any key fields)`
}

function checkScalar(type: string, value: unknown, path: Path, problems: Problem[]): void {
  const kind = typeof value
  switch (type) {
    case 'string':
    case 'bytes':
      return kind === 'string' ? undefined : wrong('string', value, path, problems)
    case 'boolean':
      return kind === 'boolean' ? undefined : wrong('boolean', value, path, problems)
    case 'int32':
    case 'int64':
    case 'double':
      return kind === 'number' || kind === 'bigint' ? undefined : wrong('numeric (int or float)', value, path, problems)
    case 'any':
      return
    default:
      return kind === 'object' ? wrong('scalar', value, path, problems) : undefined
  }
}
