import { badRequest } from '../errors/api-error.ts'
import type { Frozen, KubernetesObject } from '../resource.ts'
import type { StructSchema } from '../schema/schema.ts'
import { applyJsonPatch } from './json-patch.ts'
import { applyMergePatch } from './merge-patch.ts'
import { applyStrategicMergePatch } from './strategic-merge-patch.ts'

/** The ways to patch, besides apply. */
export type PatchType = 'json' | 'merge' | 'strategic'

/** The media types of patches. */
export const patchTypes: Readonly<Record<string, PatchType>> = {
  'application/json-patch+json': 'json',
  'application/merge-patch+json': 'merge',
  'application/strategic-merge-patch+json': 'strategic',
}

/** How deep a patch may be nested: deeper than any object, and no danger to the stack. */
const depthMax = 1000

/** A patch of the three kinds that change what is there. */
export interface Patch {
  readonly type: PatchType
  readonly schema: StructSchema
  /** The stored object in the version of the request. */
  readonly old: Frozen<KubernetesObject>
  /** The parsed body. */
  readonly patch: unknown
}

/**
 * The object after a patch, not decoded yet: fields may be unknown or of the wrong type, and defaults are missing. Shares what is unchanged with the old one. Throws
 * upstream's errors.
 */
export function applyPatch({ type, schema, old, patch }: Patch): unknown {
  checkDepth(patch)
  switch (type) {
    case 'json':
      return applyJsonPatch(old, patch)
    case 'merge':
      return applyMergePatch(old, patch)
    case 'strategic':
      return applyStrategicMergePatch(schema, old, patch)
  }
}

function checkDepth(patch: unknown): void {
  let level: unknown[] = [patch]
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > depthMax) throw badRequest(`error decoding patch: exceeded max depth of ${depthMax}`)
    level = level.flatMap((value) =>
      typeof value === 'object' && value !== null
        ? Object.values(value).filter((part) => typeof part === 'object')
        : [],
    )
  }
}
