import { endpointSlices } from '../generated/resources.ts'
import type { Thawed } from '../draft.ts'
import type { EndpointSlice } from '../generated/types/discovery-v1.ts'
import { defineKind } from '../kind.ts'
import type { Frozen } from '../resource.ts'
import { checkImmutable } from '../validation/check.ts'
import { equal } from '../validation/equal.ts'
import { field } from '../validation/field.ts'
import { ipWarnings } from '../validation/ips.ts'
import { isSubdomain } from '../validation/names.ts'
import { endpointSliceRow } from './endpointslice-row.ts'
import { checkEndpointSlice } from './endpointslice-rules.ts'

const hostnameLabel = 'kubernetes.io/hostname'
const managedByLabel = 'endpointslice.kubernetes.io/managed-by'
/** Controllers that make their slices from Endpoints or Services: their authors get no warnings. */
const controllers = new Set(['endpointslice-controller.k8s.io', 'endpointslicemirroring-controller.k8s.io'])

/** What an EndpointSlice does. */
export const endpointSliceDefinition = defineKind(endpointSlices, {
  row: endpointSliceRow,
  metadata: { onUpdate: 'object' },
  // Counted while updates are prepared: topology that is about to be dropped counts as a change, too.
  generation: () => false,
  defaults({ ports }) {
    for (const port of ports ?? []) {
      port.name ??= ''
      port.protocol ??= 'TCP'
    }
  },
  prepareCreate: (slice) => dropTopology(slice, undefined),
  prepareUpdate(slice, old) {
    const same =
      slice.addressType === old.addressType &&
      equal(slice.endpoints, old.endpoints) &&
      equal(slice.ports, old.ports) &&
      equal(slice.metadata.labels, old.metadata.labels)
    if (!same) slice.metadata.generation = (old.metadata.generation ?? 0) + 1
    dropTopology(slice, old)
  },
  validate: (slice, errors) => checkEndpointSlice(slice, undefined, errors),
  validateUpdate(slice, old, errors) {
    checkEndpointSlice(slice, old, errors)
    checkImmutable(slice.addressType, old.addressType, field('addressType'), errors)
  },
  warnings(slice, old) {
    const warnings = !old && slice.addressType === 'FQDN' ? ['spec.addressType: FQDN endpoints are deprecated'] : []
    if (controllers.has(slice.metadata.labels?.[managedByLabel] ?? '')) return warnings
    return [
      ...warnings,
      ...(slice.endpoints ?? []).flatMap(({ addresses }, i) =>
        (addresses ?? []).flatMap((address, j) =>
          ipWarnings(address, field('endpoints').index(i).child('addresses').index(j)),
        ),
      ),
    ]
  },
})

/** Topology was replaced by fields; what endpoints had before may still name their node. */
function dropTopology({ endpoints }: Thawed<EndpointSlice>, old: Frozen<EndpointSlice> | undefined): void {
  if (old && equal(old.endpoints, endpoints)) return
  const known = new Set(old?.endpoints?.map(({ deprecatedTopology }) => deprecatedTopology?.[hostnameLabel]))
  for (const endpoint of endpoints ?? []) {
    const node = endpoint.deprecatedTopology?.[hostnameLabel]
    if (endpoint.nodeName === undefined && node && known.has(node) && isSubdomain(node).length === 0)
      endpoint.nodeName = node
    delete endpoint.deprecatedTopology
  }
}
