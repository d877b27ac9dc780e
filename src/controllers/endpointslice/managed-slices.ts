/** What both controllers of EndpointSlices do: from the endpoints that an object should have to the slices that say so, and writing the difference. */
import { endpointSlices } from '../../api/generated/resources.ts'
import type { EndpointSlice } from '../../api/generated/types/discovery-v1.ts'
import type { Frozen, KubernetesObject, Resource } from '../../api/resource.ts'
import {
  annotationsOf,
  controllerReference,
  isControlledBy,
  labelsOf,
  nameOf,
  namespaceOf,
} from '../../client/object.ts'
import type { Context } from '../framework/controller.ts'
import { same } from '../framework/equality.ts'
import { planGroup, portsKey, type PortGroup } from './slice-plan.ts'

type Slice = Frozen<EndpointSlice>

/** The label that says which Service a slice is of. */
export const serviceNameLabel = 'kubernetes.io/service-name'
/** The label that says who writes a slice. */
export const managedByLabel = 'endpointslice.kubernetes.io/managed-by'

/** The key of the Service that a slice is of; nothing when somebody else manages the slice. For indexes and watches. */
export const servicesOf = (slice: Slice, managedBy: string): string[] =>
  labelsOf(slice)[managedByLabel] === managedBy
    ? [`${namespaceOf(slice)}/${labelsOf(slice)[serviceNameLabel] ?? ''}`]
    : []

/** What the slices of one object and one address type have in common. */
export interface SliceFrame {
  readonly resource: Resource
  readonly owner: Frozen<KubernetesObject>
  readonly addressType: string
  readonly labels: Readonly<Record<string, string>>
  /** Absent: a slice keeps its own. */
  readonly annotations?: Readonly<Record<string, string>>
  /** In one slice. */
  readonly endpointsMax: number
  /** Without endpoints there is an empty slice: so that this can be told from an object that nobody looked at yet. */
  readonly emptySlice: boolean
}

/** What to write. */
export interface SliceWrites {
  readonly create: readonly Slice[]
  readonly update: readonly Slice[]
  readonly remove: readonly Slice[]
}

/** What to write so that the slices of the frame's address type say what the groups (by `portsKey`) say. */
export function planSlices(
  frame: SliceFrame,
  existing: readonly Slice[],
  groups: ReadonlyMap<string, PortGroup>,
): SliceWrites {
  const own = existing.filter((slice) => isControlledBy(slice, frame.owner))
  const contents: PortGroup[] = []
  const update: Slice[] = []
  const remove = existing.filter((slice) => !own.includes(slice))
  for (const [key, group] of groups) {
    const candidates = own.filter((slice) => portsKey(slice.ports) === key)
    const plan = planGroup(candidates, group, frame.endpointsMax)
    contents.push(...plan.create)
    update.push(...plan.update)
    remove.push(...plan.remove)
  }
  remove.push(...own.filter((slice) => !groups.has(portsKey(slice.ports))))
  if (frame.emptySlice && contents.length === 0 && own.every((slice) => remove.includes(slice))) {
    const empty = remove.findIndex((slice) => own.includes(slice) && !slice.ports?.length && !slice.endpoints?.length)
    if (empty >= 0) remove.splice(empty, 1)
    else contents.push({ ports: [], endpoints: [] })
  }
  // What would go is taken for what would be new, whatever its ports are: watchers see one change instead of two.
  const spare = remove.filter((slice) => own.includes(slice)).slice(0, contents.length)
  for (const slice of spare) {
    update.push({ ...slice, ...contents.pop()! })
    remove.splice(remove.indexOf(slice), 1)
  }
  const changed = new Set(update.map(nameOf))
  const outdated = own.filter(
    (slice) => !remove.includes(slice) && !changed.has(nameOf(slice)) && !isFramed(slice, frame),
  )
  const create = contents.map((content) => newSlice(frame, content))
  return { create, remove, update: [...update, ...outdated].map((slice) => framed(slice, frame)) }
}

const isFramed = (slice: Slice, { labels, annotations }: SliceFrame): boolean =>
  same(labels, labelsOf(slice)) && (annotations === undefined || same(annotations, annotationsOf(slice)))

const framed = (slice: Slice, { labels, annotations }: SliceFrame): Slice => ({
  ...slice,
  metadata: { ...slice.metadata, labels, ...(annotations && { annotations }) },
})

const newSlice = (frame: SliceFrame, { ports, endpoints }: PortGroup): Slice => ({
  apiVersion: 'discovery.k8s.io/v1',
  kind: 'EndpointSlice',
  metadata: {
    generateName: `${nameOf(frame.owner)}-`,
    namespace: namespaceOf(frame.owner),
    labels: frame.labels,
    ...(frame.annotations && { annotations: frame.annotations }),
    ownerReferences: [controllerReference(frame.resource, frame.owner)],
  },
  addressType: frame.addressType,
  ports,
  endpoints,
})

/** Carries a plan out; `wrote` hears of each write. */
export async function writeSlices<O extends KubernetesObject>(
  owner: Frozen<O>,
  { create, update, remove }: SliceWrites,
  c: Context<O>,
  wrote: (operation: 'create' | 'update' | 'delete') => void = () => {},
): Promise<void> {
  for (const slice of create) {
    c.wrote(owner, endpointSlices, await c.client.create(endpointSlices, slice))
    wrote('create')
  }
  for (const slice of update) {
    c.wrote(owner, endpointSlices, await c.client.update(endpointSlices, slice))
    wrote('update')
  }
  for (const slice of remove) {
    await c.remove(owner, endpointSlices, slice)
    wrote('delete')
  }
}
