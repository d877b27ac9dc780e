import { ApiError, badRequest, tooLarge } from '../errors/api-error.ts'
import { deepEqual } from '../schema/values.ts'

/** How many operations a patch may have, as upstream. */
const operationsMax = 10_000

/** How much the `copy` operations of a patch may add to the object together, as upstream. */
const copiedBytesMax = 3 * 1024 * 1024

type Operation = Readonly<Record<string, unknown>>
type Container = unknown[] | Record<string, unknown>

/** What an operation cannot do. Upstream's answer does not pass the reason on; it is kept as the cause. */
class PatchFailure extends Error {}

/**
 * Applies a JSON patch (RFC 6902) the way upstream's library reads it: negative indices count from the end, `replace` of a missing field adds it, a missing value is
 * null. The result shares what the patch does not touch.
 */
export function applyJsonPatch(document: unknown, patch: unknown): unknown {
  const operations = operationsOf(patch)
  const state = new PatchedDocument(document)
  try {
    for (const operation of operations) state.apply(operation)
  } catch (error) {
    if (!(error instanceof PatchFailure)) throw error
    const message = 'the server rejected our request due to an error in our request'
    throw new ApiError(
      {
        kind: 'Status',
        apiVersion: 'v1',
        metadata: {},
        status: 'Failure',
        message,
        reason: 'Invalid',
        details: {},
        code: 422,
      },
      { cause: error },
    )
  }
  return state.root
}

function operationsOf(patch: unknown): readonly Operation[] {
  if (patch === null) return []
  if (!Array.isArray(patch))
    throw badRequest(`json: cannot unmarshal ${goKind(patch)} into Go value of type jsonpatch.Patch`)
  for (const operation of patch) {
    if (operation !== null && (typeof operation !== 'object' || Array.isArray(operation)))
      throw badRequest(`json: cannot unmarshal ${goKind(operation)} into Go value of type jsonpatch.Operation`)
  }
  if (patch.length > operationsMax)
    throw tooLarge(
      `Request entity too large: The allowed maximum operations in a JSON patch is ${operationsMax}, got ${patch.length}`,
    )
  return patch as Operation[]
}

const goKind = (value: unknown): string => (typeof value === 'boolean' ? 'bool' : typeof value)

/** The document while it is patched: what the patch touches is copied once, then changed in place. */
class PatchedDocument {
  root: unknown
  /** Containers that this patch made. */
  readonly #own = new Set<unknown>()
  #copiedBytes = 0

  constructor(root: unknown) {
    this.root = root
  }

  apply(operation: Operation | null): void {
    const kind = operation?.['op']
    switch (kind) {
      case 'add':
        return this.#add(pathOf(operation!, 'path'), operation!['value'] ?? null)
      case 'remove':
        return void this.#remove(pathOf(operation!, 'path'))
      case 'replace':
        return this.#replace(pathOf(operation!, 'path'), operation!['value'] ?? null)
      case 'move': {
        const from = pathOf(operation!, 'from')
        const value = this.#remove(from)
        return this.#add(pathOf(operation!, 'path'), value)
      }
      case 'copy':
        return this.#copy(pathOf(operation!, 'from'), pathOf(operation!, 'path'))
      case 'test':
        return this.#test(pathOf(operation!, 'path'), operation!['value'] ?? null)
      default:
        throw new PatchFailure(`Unexpected kind: ${typeof kind === 'string' ? kind : 'unknown'}`)
    }
  }

  #add(path: string, value: unknown): void {
    const [container, key] = this.#containerOf(path)
    if (!Array.isArray(container)) return setKey(container, key, value)
    if (key === '-') return void container.push(value)
    const index = indexOf(key)
    const at = index < 0 ? index + container.length + 1 : index
    if (at < 0 || at > container.length) throw new PatchFailure(`Unable to access invalid index: ${key}`)
    container.splice(at, 0, value)
  }

  #remove(path: string): unknown {
    const [container, key] = this.#containerOf(path)
    if (Array.isArray(container)) return container.splice(placeIn(container, key), 1)[0]
    if (!Object.hasOwn(container, key)) throw new PatchFailure(`Unable to remove nonexistent key: ${key}`)
    const value = container[key]
    delete container[key]
    return value
  }

  #replace(path: string, value: unknown): void {
    if (path === '') {
      if (typeof value !== 'object' || value === null)
        throw new PatchFailure('replace operation value must be object or array')
      this.root = value
      return
    }
    const [container, key] = this.#containerOf(path)
    if (Array.isArray(container)) container[placeIn(container, key)] = value
    else setKey(container, key, value)
  }

  #copy(from: string, path: string): void {
    const value = this.#read(from)
    const text = JSON.stringify(value ?? null)
    this.#copiedBytes += text.length
    if (this.#copiedBytes > copiedBytesMax)
      throw new PatchFailure(
        `Unable to complete the copy, the accumulated size increase of copy is ${this.#copiedBytes}, exceeding the limit ${copiedBytesMax}`,
      )
    this.#add(path, JSON.parse(text))
  }

  #test(path: string, expected: unknown): void {
    const value = path === '' ? this.root : (this.#read(path) ?? null)
    if (!deepEqual(value, expected)) throw new PatchFailure(`testing value ${path} failed`)
  }

  #read(path: string): unknown {
    const steps = stepsOf(path)
    const key = steps.pop()!
    let container = this.root
    for (const step of steps) container = partOf(container, step)
    if (typeof container !== 'object' || container === null) throw new PatchFailure(`doc is missing path: ${path}`)
    if (Array.isArray(container)) return container[placeIn(container, key)]
    return Object.hasOwn(container, key) ? (container as Record<string, unknown>)[key] : undefined
  }

  /** The container of a path's last step, ready to be changed, and that step. */
  #containerOf(path: string): readonly [Container, string] {
    const steps = stepsOf(path)
    const key = steps.pop()!
    let container = (this.root = this.#owned(this.root, path))
    for (const step of steps) {
      const child = this.#owned(partOf(container, step), path)
      if (Array.isArray(container)) container[placeIn(container, step)] = child
      else setKey(container as Record<string, unknown>, step, child)
      container = child
    }
    return [container as Container, key]
  }

  #owned(value: unknown, path: string): unknown {
    if (typeof value !== 'object' || value === null) throw new PatchFailure(`doc is missing path: "${path}"`)
    if (this.#own.has(value)) return value
    const copy = Array.isArray(value) ? [...value] : { ...value }
    this.#own.add(copy)
    return copy
  }
}

/** A plain assignment would call the setter of `__proto__`. */
function setKey(container: Record<string, unknown>, key: string, value: unknown): void {
  if (key === '__proto__')
    Object.defineProperty(container, key, { value, enumerable: true, configurable: true, writable: true })
  else container[key] = value
}

function pathOf(operation: Operation, name: 'path' | 'from'): string {
  const path = operation[name]
  if (typeof path !== 'string')
    throw new PatchFailure(`${String(operation['op'])} operation failed to decode ${name}: missing value`)
  return path
}

function stepsOf(path: string): string[] {
  const steps = path.split('/')
  if (steps.length < 2) throw new PatchFailure(`doc is missing path: "${path}"`)
  return steps.slice(1).map((step) => (step.includes('~') ? step.replaceAll('~1', '/').replaceAll('~0', '~') : step))
}

function partOf(container: unknown, step: string): unknown {
  if (typeof container !== 'object' || container === null) throw new PatchFailure(`doc is missing path at "${step}"`)
  if (Array.isArray(container)) return container[placeIn(container, step)]
  return Object.hasOwn(container, step) ? (container as Record<string, unknown>)[step] : undefined
}

function indexOf(key: string): number {
  if (!/^[+-]?\d{1,15}$/.test(key)) throw new PatchFailure(`value was not a proper array index: '${key}'`)
  return Number(key)
}

/** The place of an element that is there. */
function placeIn(list: readonly unknown[], key: string): number {
  const index = indexOf(key)
  const at = index < 0 ? index + list.length : index
  if (at < 0 || at >= list.length) throw new PatchFailure(`Unable to access invalid index: ${key}`)
  return at
}
