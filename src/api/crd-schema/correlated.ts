import { deepEqual } from '../schema/values.ts'
import { isObject, type JsonSchema } from './json-schema.ts'

/** The old value of what is being validated: rules are not held against what was wrong before and has not changed. */
export class Correlated {
  readonly old: unknown
  readonly #value: unknown
  readonly #schema: JsonSchema
  #equal: boolean | undefined

  constructor(value: unknown, old: unknown, schema: JsonSchema) {
    this.#value = value
    this.old = old
    this.#schema = schema
  }

  /** Nothing has changed here. */
  get unchanged(): boolean {
    return (this.#equal ??= deepEqual(this.#value, this.old))
  }

  /** The same for a property. */
  key(name: string, schema: JsonSchema): Correlated | undefined {
    if (!isObject(this.old) || !isObject(this.#value) || !Object.hasOwn(this.old, name)) return undefined
    return new Correlated(this.#value[name], this.old[name], schema)
  }

  /** The same for an item of a list: only those with keys can be found again. */
  index(index: number, schema: JsonSchema): Correlated | undefined {
    if (this.#schema['x-kubernetes-list-type'] !== 'map' || !Array.isArray(this.old) || !Array.isArray(this.#value))
      return undefined
    const keys = this.#schema['x-kubernetes-list-map-keys'] ?? []
    const item: unknown = this.#value[index]
    if (!isObject(item)) return undefined
    const found = this.old.find(
      (each: unknown) =>
        isObject(each) &&
        keys.every((key) =>
          deepEqual(each[key] ?? schema.properties?.[key]?.default, item[key] ?? schema.properties?.[key]?.default),
        ),
    )
    return found === undefined ? undefined : new Correlated(item, found, schema)
  }
}
