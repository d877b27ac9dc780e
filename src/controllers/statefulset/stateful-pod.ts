import { statefulSets } from '../../api/generated/resources.ts'
import type { StatefulSet } from '../../api/generated/types/apps-v1.ts'
import type { PersistentVolumeClaim, Pod, PodTemplateSpec, Volume } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { labelsOf, nameOf, namespaceOf } from '../../client/object.ts'
import { podFromTemplate } from '../framework/pod.ts'
import { revisionHashLabel } from '../history/revisions.ts'

type Set = Frozen<StatefulSet>

/** Labels of the Pods of StatefulSets. */
export const podNameLabel = 'statefulset.kubernetes.io/pod-name'
const podIndexLabel = 'apps.kubernetes.io/pod-index'

/** The number at the end of a pod's name, if the name is one of the set's; else -1. */
export function ordinalOf(set: Set, pod: Frozen<Pod>): number {
  const match = /^(.*)-(\d+)$/.exec(nameOf(pod))
  return match && match[1] === nameOf(set) ? Number(match[2]) : -1
}

/** The first ordinal of the set. */
export const startOf = (set: Set): number => set.spec?.ordinals?.start ?? 0

/** The pod of an ordinal is among those that the set wants. */
export const isWanted = (set: Set, ordinal: number): boolean =>
  ordinal >= startOf(set) && ordinal < startOf(set) + (set.spec?.replicas ?? 1)

/** The claims of the pod of an ordinal, by the name of their volume. */
export function claimsOf(set: Set, ordinal: number): Map<string, Frozen<PersistentVolumeClaim>> {
  return new Map(
    (set.spec?.volumeClaimTemplates ?? []).map((template) => {
      const name = `${nameOf(template)}-${nameOf(set)}-${ordinal}`
      const labels = { ...template.metadata.labels, ...set.spec?.selector.matchLabels }
      const { status: _, ...claim } = template
      return [
        nameOf(template),
        {
          ...claim,
          apiVersion: 'v1',
          kind: 'PersistentVolumeClaim',
          metadata: { ...template.metadata, name, namespace: namespaceOf(set), labels },
        },
      ]
    }),
  )
}

/** The pod of an ordinal, from a revision's template. */
export function statefulPod(
  set: Set,
  template: Frozen<PodTemplateSpec>,
  revision: string,
  ordinal: number,
): Frozen<Pod> {
  const name = `${nameOf(set)}-${ordinal}`
  const pod = podFromTemplate(statefulSets, set, template, name)
  const spec = pod.spec ?? { containers: [] }
  const labels = {
    ...labelsOf(pod),
    [podNameLabel]: name,
    [podIndexLabel]: String(ordinal),
    [revisionHashLabel]: revision,
  }
  return {
    ...pod,
    metadata: { ...pod.metadata, labels },
    spec: {
      ...spec,
      hostname: name,
      ...(set.spec?.serviceName && { subdomain: set.spec.serviceName }),
      volumes: volumesOf(set, ordinal, spec.volumes ?? []),
    },
  }
}

/** The volumes with the set's claims in place of those of their names. */
export function volumesOf(set: Set, ordinal: number, volumes: readonly Frozen<Volume>[]): Frozen<Volume>[] {
  const claims = claimsOf(set, ordinal)
  const own = [...claims].map(([name, claim]) => ({ name, persistentVolumeClaim: { claimName: nameOf(claim) } }))
  return [...own, ...volumes.filter(({ name }) => !claims.has(name))]
}

/** The pod has the name and labels of its ordinal, and its claims. */
export function matchesIdentity(set: Set, pod: Frozen<Pod>): boolean {
  if (labelsOf(pod)[podNameLabel] !== nameOf(pod)) return false
  const volumes = new Map((pod.spec?.volumes ?? []).map((volume) => [volume.name, volume]))
  return [...claimsOf(set, ordinalOf(set, pod))].every(
    ([name, claim]) => volumes.get(name)?.persistentVolumeClaim?.claimName === nameOf(claim),
  )
}
