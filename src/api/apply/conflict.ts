import { ApiError } from '../errors/api-error.ts'
import { pathsOf } from './field-set.ts'
import type { Manager } from './managers.ts'
import { pathText } from './path-element.ts'
import type { Overruled } from './settle.ts'

/** A field that somebody else owns with another value. */
export interface Conflict {
  readonly manager: Manager
  readonly path: readonly string[]
}

/** One conflict a field, by the managers' names. */
export const conflictsOf = (overruled: readonly Overruled[]): Conflict[] =>
  [...overruled]
    .sort((a, b) => (identity(a.manager) < identity(b.manager) ? -1 : 1))
    .flatMap(({ manager, fields }) => [...pathsOf(fields)].map((path) => ({ manager, path })))

/** 409 with a cause for each field: `conflict with "kubectl" using apps/v1: .spec.replicas`. */
export function applyConflict(conflicts: readonly Conflict[]): ApiError {
  const causes = conflicts.map(({ manager, path }) => ({
    reason: 'FieldManagerConflict',
    message: `conflict with ${managerText(manager)}`,
    field: pathText(path),
  }))
  const message = conflictText(conflicts)
  return new ApiError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message,
    reason: 'Conflict',
    details: { causes },
    code: 409,
  })
}

function conflictText(conflicts: readonly Conflict[]): string {
  const [first] = conflicts
  if (first && conflicts.length === 1)
    return `Apply failed with 1 conflict: conflict with ${managerText(first.manager)}: ${pathText(first.path)}`
  const lines: string[] = []
  let last: Manager | undefined
  for (const { manager, path } of conflicts) {
    if (manager !== last) lines.push(`conflicts with ${managerText(manager)}:`)
    last = manager
    lines.push(`- ${pathText(path)}`)
  }
  return `Apply failed with ${conflicts.length} conflicts: ${lines.join('\n')}`
}

function managerText({ name, subresource, operation, apiVersion }: Manager): string {
  const who = subresource
    ? `${JSON.stringify(name)} with subresource ${JSON.stringify(subresource)}`
    : JSON.stringify(name)
  return operation === 'Update' ? `${who} using ${apiVersion}` : who
}

/** What upstream sorts conflicting managers by: the entry without its fields. */
const identity = ({ name, operation, apiVersion, subresource }: Manager): string =>
  JSON.stringify({
    manager: name || undefined,
    operation,
    apiVersion: operation === 'Apply' ? undefined : apiVersion,
    subresource: subresource || undefined,
  })
