import type { Container, Pod, ResourceRequirements } from '../generated/types/core-v1.ts'
import { thaw } from '../draft.ts'
import type { Frozen } from '../resource.ts'
import { keepMetadata } from '../status-metadata.ts'
import { equal } from '../validation/equal.ts'
import { field, type FieldErrors, type FieldPath, nowhere } from '../validation/field.ts'
import { mirrorAnnotation } from './pod-spec/annotations.ts'
import { computeQos, qosOf } from './pod-spec/qos.ts'

type Containers = Frozen<Container[]> | undefined

/** A resize changes containers' resources and resize policies; all else of the request is ignored. */
export function keepOnlyResize(pod: Pod, old: Frozen<Pod>): void {
  const spec = pod.spec
  const before = old.spec
  if (!spec || !before) return
  // Containers that came or went are left for validation to tell of.
  if (
    spec.containers.length !== before.containers.length ||
    (spec.initContainers?.length ?? 0) !== (before.initContainers?.length ?? 0)
  )
    return
  const containers = resized(spec.containers, before.containers)
  const initContainers = spec.initContainers && resized(spec.initContainers, before.initContainers)
  pod.spec = { ...thaw(before), containers, ...(initContainers && { initContainers }) }
  if (old.status) pod.status = thaw(old.status)
  keepMetadata(pod.metadata, old.metadata)
}

function resized(containers: Container[], old: Containers = []): Container[] {
  if (containers.some(({ name }, i) => old[i]?.name !== name)) return containers
  return containers.map(({ resources, resizePolicy }, i) => {
    const { resources: _resources, resizePolicy: _policy, ...rest } = thaw(old[i]) ?? { name: '' }
    return { ...rest, ...(resources && { resources }), ...(resizePolicy && { resizePolicy }) }
  })
}

/** Only CPU and memory, only of containers and sidecars, and only within the Pod's class. `checkWhole` runs the rules that always hold. */
export function checkPodResize(pod: Frozen<Pod>, old: Frozen<Pod>, errors: FieldErrors, checkWhole: () => void): void {
  const at = field('spec')
  const before = errors.list.length
  checkWhole()
  const never = (why: string) => {
    errors.list.length = before
    errors.forbidden(nowhere(), why)
  }
  if (old.metadata.annotations?.[mirrorAnnotation] !== undefined) return never('static pods cannot be resized')
  if (old.spec?.os?.name === 'windows') return never('windows pods cannot be resized')
  if (qosOf(old) !== computeQos(pod.spec))
    errors.invalid(at, pod.status?.qosClass ?? '', 'Pod QOS Class may not change as a result of resizing')
  const running = old.status?.containerStatuses?.find(({ state }) => state?.running)
  if (running && !running.resources) errors.forbidden(at, 'Pod running on node without support for resize')
  if ([old, pod].some(({ spec }) => isAsked(spec?.resources))) {
    return errors.forbidden(
      nowhere(),
      'resize of pods with pod-level resources is forbidden when InPlacePodLevelResourcesVerticalScalingEnabled feature gate is disabled',
    )
  }
  const lists = ['containers', 'initContainers'] as const
  const ordered = lists.map((name) => checkOrder(pod.spec?.[name], old.spec?.[name], name, errors))
  if (ordered.includes(false)) return
  for (const name of lists) checkContainers(pod.spec?.[name], old.spec?.[name], name, errors)
}

const isAsked = (resources: Frozen<ResourceRequirements> | undefined) =>
  Object.keys({ ...resources?.requests, ...resources?.limits }).length > 0

function checkOrder(containers: Containers = [], old: Containers = [], name: string, errors: FieldErrors): boolean {
  const at = field('spec', name)
  if (containers.length !== old.length) {
    errors.forbidden(at, `${name} may not be added or removed on resize`)
    return false
  }
  const moved = containers.flatMap((container, i) => (container.name === old[i]?.name ? [] : [i]))
  for (const i of moved)
    errors.forbidden(at.index(i).child('name'), `${name} may not be renamed or reordered on resize`)
  return moved.length === 0
}

function checkContainers(
  containers: Containers = [],
  old: Containers = [],
  list: 'containers' | 'initContainers',
  errors: FieldErrors,
): void {
  const spec = field('spec')
  containers.forEach((container, i) => {
    const before = old[i]
    if (!before) return
    const sidecar = list === 'initContainers' && before.restartPolicy === 'Always'
    if (list === 'initContainers' && !sidecar) {
      if (!equal(container, before)) errors.forbidden(spec, 'resources for non-sidecar init containers are immutable')
      return
    }
    checkRemoved(container.resources, before.resources, spec.child(list).index(i).child('resources'), errors)
    if (!equal(withoutComputes(container, before), before))
      errors.forbidden(
        spec,
        sidecar
          ? 'only cpu and memory resources for sidecar containers are mutable'
          : 'only cpu and memory resources are mutable',
      )
  })
}

function checkRemoved(
  resources: Frozen<ResourceRequirements> | undefined,
  old: Frozen<ResourceRequirements> | undefined,
  at: FieldPath,
  errors: FieldErrors,
): void {
  for (const part of ['requests', 'limits'] as const) {
    const removed = Object.keys(old?.[part] ?? {}).some((name) => resources?.[part]?.[name] === undefined)
    if (removed) errors.forbidden(at.child(part), `resource ${part} cannot be removed`)
  }
}

/** The new container with the old CPU and memory, and without claims, which a resize must not touch either. */
function withoutComputes(container: Frozen<Container>, old: Frozen<Container>): Frozen<Container> {
  const part = (name: 'requests' | 'limits') => {
    const { cpu: _cpu, memory: _memory, ...rest } = container.resources?.[name] ?? {}
    const before = old.resources?.[name] ?? {}
    const kept = {
      ...rest,
      ...(before['cpu'] !== undefined && { cpu: before['cpu'] }),
      ...(before['memory'] !== undefined && { memory: before['memory'] }),
    }
    return Object.keys(kept).length || old.resources?.[name] ? { [name]: kept } : {}
  }
  const resources = { ...part('requests'), ...part('limits') }
  return { ...container, ...((container.resources || old.resources) && { resources }) }
}
