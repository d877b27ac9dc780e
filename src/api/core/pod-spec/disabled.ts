import type { Container, EphemeralContainer, PodSpec } from '../../generated/types/core-v1.ts'
import type { Frozen } from '../../resource.ts'

type AnyContainer = Frozen<Container> | Frozen<EphemeralContainer>

const containersOf = (spec: Frozen<PodSpec>): readonly AnyContainer[] => [
  ...(spec.initContainers ?? []),
  ...(spec.containers ?? []),
  ...(spec.ephemeralContainers ?? []),
]
const stops = (spec: Frozen<PodSpec> | undefined) =>
  !!spec && containersOf(spec).some(({ lifecycle }) => lifecycle?.stopSignal !== undefined)
const projects = (spec: Frozen<PodSpec> | undefined, name: 'clusterTrustBundle' | 'podCertificate') =>
  !!spec?.volumes?.some(({ projected }) => projected?.sources?.some((source) => source[name]))

/** With a field that v1.35 has and the generated type has not, which follows a later draft. */
type Spec = PodSpec & { workloadRef?: unknown }

/** Removes fields of features that upstream's v1.35 has off by default, unless the old spec has them. */
export function dropDisabledFields(spec: Spec, old?: Frozen<Spec>): void {
  if (stops(spec) && !stops(old))
    for (const list of [spec.initContainers, spec.containers, spec.ephemeralContainers]) list?.forEach(dropStopSignal)
  for (const name of ['clusterTrustBundle', 'podCertificate'] as const) {
    if (!projects(spec, name) || projects(old, name)) continue
    for (const { projected } of spec.volumes ?? []) for (const source of projected?.sources ?? []) delete source[name]
  }
  if (spec.workloadRef && !old?.workloadRef) delete spec.workloadRef
}

function dropStopSignal(container: Container | EphemeralContainer): void {
  if (!container.lifecycle) return
  delete container.lifecycle.stopSignal
  if (!container.lifecycle.postStart && !container.lifecycle.preStop) delete container.lifecycle
}
