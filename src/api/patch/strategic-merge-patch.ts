import { ApiError, badRequest } from '../errors/api-error.ts'
import type { ListSchema, Schema, StructSchema } from '../schema/schema.ts'
import { mergeLists, orderedByDirective } from './strategic-lists.ts'
import { deleteListPrefix, directive, isMap, orderPrefix, retainKeys, shown, withoutDirectives } from './directives.ts'
import type { Values } from './directives.ts'

/**
 * Applies a strategic merge patch: objects are merged, lists with a merge key element by element, and the directives `$patch`, `$retainKeys`,
 * `$deleteFromPrimitiveList/…` and `$setElementOrder/…` are obeyed. The result shares what the patch does not touch.
 */
export function applyStrategicMergePatch(schema: StructSchema, document: unknown, patch: unknown): unknown {
  if (schema.name === '') throw unsupported()
  if (!isMap(patch)) throw badRequest('json: cannot unmarshal patch into an object')
  return mergeObjects(schema, isMap(document) ? document : {}, patch)
}

/** Custom kinds have no merge keys. */
const unsupported = (): ApiError => badRequest('strategic merge patch format is not supported')

/** Merges a patch into an object. `schema` is undefined below what has no fields of its own. */
function mergeObjects(schema: Schema | undefined, original: Values, patch: Values): Values {
  if (directive in patch) return followDirective(patch)
  const draft = new Draft(original)
  const rest = retainOnly(draft, patch)
  const left = applyOrders(schema, draft, rest)
  for (const name of Object.keys(left)) {
    if (name.startsWith(deleteListPrefix))
      deleteFromList(schema, draft, name.slice(deleteListPrefix.length + 1), left[name])
    else mergeField(schema, draft, name, left[name])
  }
  return draft.result
}

/** `$patch: replace` takes the patch as it is, `$patch: delete` leaves nothing. */
function followDirective(patch: Values): Values {
  const { [directive]: kind, ...rest } = patch
  if (kind === 'replace') return rest
  if (kind === 'delete') return {}
  throw badRequest(`unknown patch type: ${shown(kind)} in map: ${shown(patch)}`)
}

/** `$retainKeys` lists the fields that stay; returns the patch without it. */
function retainOnly(draft: Draft, patch: Values): Values {
  if (!(retainKeys in patch)) return patch
  const { [retainKeys]: kept, ...rest } = patch
  if (!Array.isArray(kept)) throw badRequest('invalid patch format of retainKeys')
  const names = new Set<unknown>(kept)
  for (const name of Object.keys(rest)) {
    const ignored = rest[name] === null || name.startsWith(deleteListPrefix) || name.startsWith(orderPrefix)
    if (!ignored && !names.has(name)) throw badRequest('invalid patch format of retainKeys')
  }
  for (const name of Object.keys(draft.result)) if (!names.has(name)) draft.remove(name)
  return rest
}

/** `$setElementOrder/…` puts lists in order, merging the patch's list on the way; returns the patch without both. */
function applyOrders(schema: Schema | undefined, draft: Draft, patch: Values): Values {
  let rest = patch
  for (const key of Object.keys(patch)) {
    if (!key.startsWith(orderPrefix)) continue
    const name = partName(key, orderPrefix, 'invalid patch format of setElementOrder list')
    const order = patch[key]
    if (!Array.isArray(order)) throw badRequest(`expected a []interface {}, but received a ${goType(order)}`)
    const { [key]: _, ...others } = rest
    rest = others
    const live = listOf(draft.result[name])
    const patched = listOf(rest[name])
    const list = listSchema(schema, name)
    if (!live && !patched) continue
    const { [name]: __, ...remaining } = rest
    rest = remaining
    draft.set(
      name,
      orderedByDirective({ list, live, patched, order: order as readonly unknown[], mergeElement: mergeObjects }),
    )
  }
  return rest
}

function listOf(value: unknown): readonly unknown[] | undefined {
  if (value === undefined) return undefined
  if (!Array.isArray(value)) throw badRequest(`expected a []interface {}, but received a ${goType(value)}`)
  return value as unknown[]
}

function deleteFromList(schema: Schema | undefined, draft: Draft, name: string, gone: unknown): void {
  if (!name) throw badRequest('invalid patch format of primitive list')
  const live = draft.result[name]
  if (gone === null) return draft.remove(name)
  if (!Array.isArray(live) || !Array.isArray(gone)) return
  listSchema(schema, name)
  draft.set(
    name,
    mergeLists({
      list: undefined,
      live,
      patched: gone as readonly unknown[],
      deletes: true,
      mergeElement: mergeObjects,
    }),
  )
}

function mergeField(schema: Schema | undefined, draft: Draft, name: string, value: unknown): void {
  if (value === null) return draft.remove(name)
  const live = draft.result[name]
  if (isMap(live) && isMap(value)) {
    const { inner, replace } = structField(schema, name)
    return draft.set(name, replace ? value : mergeObjects(inner, live, value))
  }
  if (Array.isArray(live) && Array.isArray(value)) {
    const list = listSchema(schema, name)
    return draft.set(
      name,
      list.patchStrategy?.includes('merge')
        ? mergeLists({ list, live, patched: value as readonly unknown[], deletes: false, mergeElement: mergeObjects })
        : value,
    )
  }
  const kept = withoutDirectives(value)
  if (kept === undefined) draft.remove(name)
  else if (kept !== live) draft.set(name, kept)
}

function structField(
  schema: Schema | undefined,
  name: string,
): { readonly inner: Schema | undefined; readonly replace: boolean } {
  const field = fieldOf(schema, name)
  return { inner: field.schema, replace: field.patchStrategy?.includes('replace') ?? false }
}

function listSchema(schema: Schema | undefined, name: string): ListSchema {
  const { schema: list } = fieldOf(schema, name)
  if (list.type === 'list') return list
  throw badRequest(`expected slice or array type, but got: ${list.type}`)
}

function fieldOf(
  schema: Schema | undefined,
  name: string,
): { readonly schema: Schema; readonly patchStrategy?: readonly string[] | undefined } {
  if (schema?.type !== 'struct')
    throw badRequest(
      `merging an object in json but data type is not struct, instead is: ${schema?.type ?? 'interface'}`,
    )
  const field = schema.fields.get(name)
  if (!field)
    throw badRequest(
      `unable to find api field in struct ${schema.name.slice(schema.name.lastIndexOf('.') + 1)} for the json field ${JSON.stringify(name)}`,
    )
  return field
}

function partName(key: string, prefix: string, problem: string): string {
  const slash = key.indexOf('/')
  if (slash < 0 || key.slice(0, slash) !== prefix) throw badRequest(problem)
  return key.slice(slash + 1)
}

function goType(value: unknown): string {
  if (value === null || value === undefined) return '%!s(<nil>)'
  if (Array.isArray(value)) return '[]interface {}'
  return typeof value === 'object'
    ? 'map[string]interface {}'
    : typeof value === 'number'
      ? 'int64'
      : typeof value === 'boolean'
        ? 'bool'
        : 'string'
}

/** An object that is copied at its first change. */
class Draft {
  result: Values
  readonly #original: Values

  constructor(original: Values) {
    this.#original = original
    this.result = original
  }

  set(name: string, value: unknown): void {
    if (this.result[name] !== value || value === undefined)
      Object.defineProperty(this.#own(), name, { value, enumerable: true, configurable: true, writable: true })
  }

  remove(name: string): void {
    if (Object.hasOwn(this.result, name)) delete this.#own()[name]
  }

  #own(): Record<string, unknown> {
    if (this.result === this.#original) this.result = { ...this.#original }
    return this.result as Record<string, unknown>
  }
}
