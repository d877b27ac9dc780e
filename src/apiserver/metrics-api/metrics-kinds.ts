import type { Column, Kind } from '../../api/kind.ts'
import type { Frozen, KubernetesObject } from '../../api/resource.ts'
import type { StructSchema } from '../../api/schema/schema.ts'

/** What something uses: nanocores and kibibytes, as quantities. */
export interface Used {
  readonly cpu: string
  readonly memory: string
}

/** What a node used over the window that ended at the timestamp. */
export interface NodeMetrics extends KubernetesObject {
  readonly timestamp: string
  readonly window: string
  readonly usage: Used
}

/** The same for each of a pod's containers. */
export interface PodMetrics extends KubernetesObject {
  readonly timestamp: string
  readonly window: string
  readonly containers: readonly { readonly name: string; readonly usage: Used }[]
}

const column = (name: string, type: string, format = ''): Column => ({ name, type, format, priority: 0 })
const columns: readonly Column[] = [
  column('Name', 'string', 'name'),
  column('cpu', 'quantity'),
  column('memory', 'quantity'),
  column('Window', 'string', 'duration'),
]

/** The objects are made here and only given out: nothing is decoded by it. */
const schema: StructSchema = { type: 'struct', name: '', fields: new Map(), preserveUnknown: true }

const readOnly = { group: 'metrics.k8s.io', version: 'v1beta1' } as const

function metricsKind(
  kind: string,
  plural: string,
  namespaced: boolean,
  row: (object: Frozen<KubernetesObject>) => (string | null)[],
): Kind {
  return {
    resource: { ...readOnly, kind, plural, namespaced },
    singular: '',
    listKind: `${kind}List`,
    shortNames: [],
    categories: [],
    verbs: ['get', 'list'],
    subresources: [],
    schema,
    columns,
    behaviour: { row },
    storagePrefix: `/registry/metrics.k8s.io/${plural}/`,
    custom: true,
  }
}

/** metrics.k8s.io/v1beta1 nodes */
export const nodeMetricsKind: Kind = metricsKind('NodeMetrics', 'nodes', false, (object) => {
  const { metadata, usage, window } = object as Frozen<NodeMetrics>
  return [metadata?.name ?? '', usage.cpu, usage.memory, window]
})

/** metrics.k8s.io/v1beta1 pods */
export const podMetricsKind: Kind = metricsKind('PodMetrics', 'pods', true, (object) => {
  const { metadata, containers, window } = object as Frozen<PodMetrics>
  const total = (of: (used: Used) => string) =>
    containers.reduce((sum, { usage }) => sum + Number.parseInt(of(usage), 10), 0)
  return [metadata?.name ?? '', `${total(({ cpu }) => cpu)}n`, `${total(({ memory }) => memory)}Ki`, window]
})
