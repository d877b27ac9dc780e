/** The part of a draft under `key`, made when it is missing: what upstream's embedded structures have by nature. */
export function ensure<T extends object, Key extends keyof T>(draft: T, key: Key): NonNullable<T[Key]> {
  const present = draft[key]
  if (present !== undefined && present !== null) return present as NonNullable<T[Key]>
  const made: unknown = {}
  draft[key] = made as T[Key]
  return draft[key] as NonNullable<T[Key]>
}

/** A part of an object that is stored already, to be changed in a draft. */
export const thaw = <T>(value: T): Thawed<T> => structuredClone(value) as Thawed<T>

/** Deeply changeable: the reverse of `Frozen`. */
export type Thawed<T> = T extends readonly (infer Item)[]
  ? Thawed<Item>[]
  : T extends object
    ? { -readonly [Key in keyof T]: Thawed<T[Key]> }
    : T
