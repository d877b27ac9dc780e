import { badRequest } from '../../api/errors/api-error.ts'
import type { Kind } from '../../api/kind.ts'
import { parseFieldSelector } from '../../api/selector/field.ts'
import { parseLabelSelector } from '../../api/selector/parse-label.ts'
import type { Selection } from '../cache/cache.ts'
import type { ResourceRequest } from '../request/api-request.ts'
import type { ListQuery } from './list-options.ts'

/** What a list, watch or deletion of a collection is about: the path's namespace and name, and the query's selectors. */
export function selectionOf({ kind, info }: ResourceRequest, { labelSelector, fieldSelector }: ListQuery): Selection {
  const selection: { -readonly [Key in keyof Selection]: Selection[Key] } = {}
  if (info.namespace !== '' && kind.resource.namespaced) selection.namespace = info.namespace
  if (labelSelector !== '') Object.assign(selection, labelsOf(labelSelector))
  const fields = fieldSelector === '' ? undefined : fieldsOf(kind, fieldSelector)
  const named = fields?.fieldEquals?.['metadata.name']
  if (fields) Object.assign(selection, fields)
  if (info.name !== '') {
    if (fields && named !== info.name) throw badRequest("fieldSelector metadata.name doesn't match requested name")
    selection.name = info.name
  }
  const space = selection.fieldEquals?.['metadata.namespace']
  if (space !== undefined && selection.namespace === undefined) selection.namespace = space
  if (selection.labels || selection.fields) selection.text = `${labelSelector}\n${fieldSelector}`
  return selection
}

function labelsOf(text: string): Pick<Selection, 'labels' | 'labelEquals'> {
  const matcher = parsed(parseLabelSelector, text)
  if (matcher.everything) return {}
  const labelEquals: Record<string, string> = {}
  for (const { key, operator, values } of matcher.requirements)
    if (operator === '=' || operator === '==') labelEquals[key] = values[0]!
  return { labels: (labels) => matcher.matches(labels), labelEquals }
}

function fieldsOf(kind: Kind, text: string): Pick<Selection, 'fields' | 'fieldEquals'> | undefined {
  const matcher = parsed(parseFieldSelector, text)
  if (matcher.everything) return undefined
  // Objects are kept in the stored version, whose names for the fields count.
  const stored = (field: string) => kind.behaviour.storedFields?.[field] ?? field
  const fieldEquals: Record<string, string> = {}
  for (const { field, operator, value } of matcher.requirements) {
    if (!knowsField(kind, field))
      throw badRequest(
        kind.behaviour.fields
          ? `field label not supported: ${field}`
          : `${JSON.stringify(field)} is not a known field selector: only "metadata.name", "metadata.namespace"`,
      )
    if (operator === '=') fieldEquals[stored(field)] = value
  }
  return { fields: (field) => matcher.matches((name) => field(stored(name)) ?? ''), fieldEquals }
}

const knowsField = ({ behaviour, resource }: Kind, field: string): boolean =>
  field === 'metadata.name' ||
  (field === 'metadata.namespace' && (resource.namespaced || !behaviour.fields)) ||
  (behaviour.fields !== undefined && Object.hasOwn(behaviour.fields, field))

function parsed<T>(parse: (text: string) => T, text: string): T {
  try {
    return parse(text)
  } catch (error) {
    throw badRequest(error instanceof Error ? error.message : String(error))
  }
}
