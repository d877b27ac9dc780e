import type { JSONSchemaProps } from '../../api/generated/types/apiextensions-v1.ts'
import type { Frozen } from '../../api/resource.ts'

/** A schema of a definition of a custom kind. */
export type Props = Frozen<JSONSchemaProps>

/** JSON objects. */
export type Values = Record<string, unknown>

export const isObject = (value: unknown): value is Values => typeof value === 'object' && value !== null && !Array.isArray(value)

/** The schema of a list's elements. */
export function itemsOf({ items }: Props): Props | undefined {
  return isObject(items) && !Array.isArray(items) ? (items as unknown as Props) : undefined
}

/** The schema of a map's values; true: anything. */
export function additionalOf({ additionalProperties }: Props): Props | boolean | undefined {
  if (additionalProperties === undefined || additionalProperties === null) return undefined
  return additionalProperties as unknown as Props | boolean
}

/** Whether fields that the schema does not name are kept. */
export const keepsUnknown = (props: Props): boolean => props['x-kubernetes-preserve-unknown-fields'] === true

export const isEmbedded = (props: Props): boolean => props['x-kubernetes-embedded-resource'] === true
