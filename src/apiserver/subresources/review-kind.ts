import type { Kind } from '../../api/kind.ts'
import { definition } from '../../api/schema/builtin.ts'

const known = new Map<string, Kind>()

/** What a subresource speaks, as a kind: it is never stored, but decoded, patched and owned field by field as the others are. */
export function reviewKind(group: string, version: string, name: string, schema: string): Kind {
  let kind = known.get(schema)
  if (!kind) {
    kind = {
      resource: { group, version, kind: name, plural: '', namespaced: true },
      singular: '',
      listKind: `${name}List`,
      shortNames: [],
      categories: [],
      verbs: [],
      subresources: [],
      schema: definition(schema),
      columns: [],
      behaviour: { generation: false },
      storagePrefix: '',
    }
    known.set(schema, kind)
  }
  return kind
}
