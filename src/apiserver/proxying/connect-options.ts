import { findDefinition } from '../../api/schema/builtin.ts'
import { decode } from '../../api/schema/decode.ts'
import type { Draft } from '../registry/resource-storage.ts'
import type { ResourceRequest } from '../request/api-request.ts'

/** What a connection is asked for with, as the object that admission sees: PodExecOptions and the like, from the query. */
export function connectOptions({ subresource, query, info }: ResourceRequest): Draft | undefined {
  const kind = subresource?.responseKind.kind ?? ''
  const schema = kind.endsWith('Options') ? findDefinition(`api.core.v1.${kind}`) : undefined
  if (!schema) return undefined
  const values: Record<string, unknown> = {
    kind,
    apiVersion: 'v1',
    ...(info.rest && schema.fields.has('path') && { path: info.rest }),
  }
  for (const { name, schema: field } of schema.fields.values()) {
    if (!query.has(name)) continue
    if (field.type === 'boolean') values[name] = query.flag(name)
    else if (field.type === 'string') values[name] = query.get(name)
    else if (field.type === 'list')
      values[name] =
        field.items.type === 'string'
          ? query.all(name)
          : query
              .all(name)
              .flatMap((each) => each.split(','))
              .map(Number)
              .filter(Number.isInteger)
  }
  return decode(schema, values) as unknown as Draft
}
