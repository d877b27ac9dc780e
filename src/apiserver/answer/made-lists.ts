import type { Kind } from '../../api/kind.ts'
import type { Frozen, KubernetesObject } from '../../api/resource.ts'
import { partialList, partialObject, type MetaVersion } from '../../api/table-format/partial-object.ts'
import {
  includeObjectOf,
  newRow,
  newTable,
  rowHoldsUntil,
  tableWithoutRows,
  type TableOptions,
} from '../../api/table-format/table.ts'
import type { Made } from '../cache/kept-forms.ts'
import { ListChunks } from '../cache/list-chunks.ts'
import { served } from '../verbs/core.ts'
import type { ListAnswer } from './answer.ts'
import type { FormOptions } from './forms.ts'
import { listMeta, listObject, withoutKind } from './json-forms.ts'
import { keptForms } from './kept.ts'
import type { Format } from './negotiate.ts'

/** A list as JSON of what has no bytes at hand: indented for people, or stored in another version. Items are made one by one, as the client takes them. */
export function madeListChunks(answer: ListAnswer, pretty: boolean): ListChunks {
  const frame = JSON.stringify(listObject({ ...answer, entries: [] }), undefined, pretty ? 2 : 0)
  const at = frame.lastIndexOf('[]')
  const [head, tail] = [frame.slice(0, at), frame.slice(at + 2)]
  const empty = answer.entries.length === 0
  const indent = pretty && !empty
  return new ListChunks({
    head: indent ? `${head}[\n    ` : `${head}[`,
    items: madeItems(answer, pretty),
    tail: `${indent ? '\n  ]' : ']'}${tail}${pretty ? '' : '\n'}`,
    separator: pretty ? ',\n    ' : ',',
  })
}

function* madeItems({ kind, entries }: ListAnswer, pretty: boolean): Iterable<Uint8Array> {
  for (const { object } of entries) {
    const item = kind.custom ? served(kind, object) : withoutKind(served(kind, object))
    yield Buffer.from(pretty ? JSON.stringify(item, undefined, 2).replaceAll('\n', '\n    ') : JSON.stringify(item))
  }
}

/** The version of the forms of `meta.k8s.io` that the client asked for. */
export const versionOf = ({ asVersion }: Format): MetaVersion => (asVersion === 'v1beta1' ? 'v1beta1' : 'v1')

/** How a table is made for a request. */
export const tableOptions = ({ format, query, nowMs, noHead }: FormOptions): TableOptions => ({
  nowMs,
  include: includeObjectOf(query.get('includeObject')),
  version: versionOf(format),
  noHead,
})

/** A list's objects in the version that the client speaks. */
export const objectsOf = ({ kind, entries }: ListAnswer): readonly Frozen<KubernetesObject>[] =>
  entries.map(({ object }) => served(kind, object))

/** A list as a table, or of metadata alone, as an object. */
export function partOf(answer: ListAnswer, options: FormOptions): object {
  const { kind } = answer
  const metadata = listMeta(answer)
  if (options.format.as === 'Table') return newTable(kind, objectsOf(answer), { ...tableOptions(options), metadata })
  return partialList(kind, objectsOf(answer), { metadata, version: versionOf(options.format) })
}

/** The same as JSON in pieces, row by row. */
export function partChunks(answer: ListAnswer, options: FormOptions): ListChunks {
  const { kind, entries } = answer
  const isTable = options.format.as === 'Table'
  // Rows in an order of their own need all objects at once, and what is empty has its own form.
  if (entries.length === 0 || (isTable && kind.behaviour.rowOrder))
    return new ListChunks({ head: JSON.stringify(partOf(answer, options)), items: [], tail: '\n' })
  const frame = isTable
    ? JSON.stringify(tableWithoutRows(kind, { ...tableOptions(options), metadata: listMeta(answer) }))
    : JSON.stringify({
        ...partialList(kind, [], { metadata: listMeta(answer), version: versionOf(options.format) }),
        items: [],
      })
  return new ListChunks({ head: frame.slice(0, -2), items: partItems(answer, options), tail: ']}\n' })
}

function* partItems({ kind, entries }: ListAnswer, options: FormOptions): Iterable<Uint8Array> {
  const table = options.format.as === 'Table' ? tableOptions(options) : undefined
  const version = versionOf(options.format)
  const form = formOf(kind, table ? `${table.include} ${version}` : version)
  // Somebody else's conversion may come to something else next time.
  const keeps = !(kind.custom && kind.storedAs)
  for (const entry of entries) {
    const make = (): Made => {
      const object = served(kind, entry.object)
      const bytes = Buffer.from(
        JSON.stringify(table ? newRow(kind, object, table) : partialObject(kind, object, version)),
      )
      return table && keeps ? { bytes, untilMs: rowHoldsUntil(kind, object, options.nowMs) } : { bytes }
    }
    yield keeps ? keptForms.of(entry, form, options.nowMs, make) : make().bytes
  }
}

const forms = new WeakMap<Kind, Map<string, object>>()

/** One identity for each kind and form. */
function formOf(kind: Kind, name: string): object {
  let byName = forms.get(kind)
  if (!byName) forms.set(kind, (byName = new Map()))
  let form = byName.get(name)
  if (!form) byName.set(name, (form = {}))
  return form
}
