import { pods } from '../generated/resources.ts'
import type { AppArmorProfile, Container, Pod, PodSpec, PodStatus } from '../generated/types/core-v1.ts'
import { ensure, thaw } from '../draft.ts'
import { defineKind, type RequestContext } from '../kind.ts'
import type { Frozen } from '../resource.ts'
import { keepMetadata } from '../status-metadata.ts'
import { field, FieldErrors } from '../validation/field.ts'
import { ipWarnings } from '../validation/ips.ts'
import { isLabel } from '../validation/names.ts'
import { isHugePages, isPodLevel, overcommits } from './resource-names.ts'
import {
  appArmorPrefix,
  checkAnnotationsMatchFields,
  checkPodAnnotations,
  mirrorAnnotation,
} from './pod-spec/annotations.ts'
import { checkImagePadding } from './pod-spec/containers.ts'
import { defaultPodSpec, dropInitAnnotations } from './pod-spec/defaults.ts'
import { dropDisabledFields } from './pod-spec/disabled.ts'
import { mergeLabelKeys } from './pod-spec/merge-label-keys.ts'
import { computeQos } from './pod-spec/qos.ts'
import { containerAmounts, listOf } from './pod-spec/resource-sums.ts'
import { rulesOfUpdate, type PodRules } from './pod-spec/rules.ts'
import { checkAppArmorProfile } from './pod-spec/security.ts'
import { checkPodSpec } from './pod-spec/spec.ts'
import { appArmorOf, appArmorWarning, podWarnings } from './pod-spec/warnings.ts'
import { checkPodResize, keepOnlyResize } from './pod-resize.ts'
import { checkPodStatus, keepObservedGenerations } from './pod-status.ts'
import { checkEphemeralUpdate, checkPodUpdate } from './pod-update.ts'
import { podRow, podRowConditions } from './pod-row.ts'
import { timeText } from '../schema/times.ts'

/** What a Pod does. Its spec is shared with templates: pod-spec/. */
export const podDefinition = defineKind(pods, {
  row: podRow,
  rowConditions: podRowConditions,
  status: true,
  metadata: { onUpdate: 'both' },
  fields: {
    'spec.nodeName': ({ spec }) => spec?.nodeName ?? '',
    'spec.restartPolicy': ({ spec }) => spec?.restartPolicy ?? '',
    'spec.schedulerName': ({ spec }) => spec?.schedulerName ?? '',
    'spec.serviceAccountName': ({ spec }) => spec?.serviceAccountName ?? '',
    'spec.hostNetwork': ({ spec }) => String(spec?.hostNetwork ?? false),
    'status.phase': ({ status }) => status?.phase ?? '',
    'status.podIP': ({ status }) => status?.podIP ?? '',
    // Upstream knows the name, but compares nothing with it.
    'status.podIPs': () => '',
    'status.nominatedNodeName': ({ status }) => status?.nominatedNodeName ?? '',
  },
  gracePeriodSeconds,
  defaults(pod) {
    const spec = ensure(pod, 'spec')
    dropInitAnnotations(ensure(pod, 'metadata'))
    defaultRequests(spec)
    spec.enableServiceLinks ??= true
    // Of pods only: templates keep what they have.
    if ((spec.terminationGracePeriodSeconds ?? 0) < 0) spec.terminationGracePeriodSeconds = 1
    if (spec.hostNetwork) {
      defaultHostPorts(spec.containers)
      defaultHostPorts(spec.initContainers)
    }
    defaultPodSpec(spec)
    if (pod.status) alignIps(pod.status)
  },
  prepareCreate(pod, { nowMs, warn }) {
    const spec = ensure(pod, 'spec')
    dropDisabledFields(spec)
    pod.status = { phase: 'Pending', qosClass: computeQos(spec) }
    if (spec.schedulingGates?.length) {
      pod.status.conditions = [
        {
          type: 'PodScheduled',
          status: 'False',
          lastTransitionTime: timeText(nowMs),
          reason: 'SchedulingGated',
          message: 'Scheduling is blocked due to non-empty scheduling gates',
        },
      ]
    }
    mergeLabelKeys(spec, pod.metadata.labels ?? {})
    annotationsToAppArmor(pod, warn)
  },
  prepareUpdate,
  validate(pod, errors) {
    const spec = pod.spec ?? { containers: [] }
    checkWholePod(pod, errors, { isPod: true })
    const at = field('spec')
    if (spec.ephemeralContainers?.length) errors.forbidden(at.child('ephemeralContainers'), 'cannot be set on create')
    if (spec.nodeName && spec.schedulingGates?.length)
      errors.forbidden(at.child('nodeName'), 'cannot be set until all schedulingGates have been cleared')
    checkAnnotationsMatchFields(pod.metadata.annotations, spec, at, errors)
  },
  validateUpdate(pod, old, errors, { subresource }) {
    const rules = rulesOfUpdate({ isPod: true }, old.spec, old.metadata.annotations)
    if (subresource === 'status') return checkPodStatus(pod, old, errors, rules)
    if (subresource === 'resize') return checkPodResize(pod, old, errors, () => checkWholePod(pod, errors, rules))
    // A spec that is the same was found right before.
    if (pod.spec !== old.spec || isMirror(pod) !== isMirror(old)) checkWholePod(pod, errors, rules)
    if (subresource === 'ephemeralcontainers') checkEphemeralUpdate(pod, old, errors, rules)
    else checkPodUpdate(pod, old, errors, rules)
  },
  warnings(pod, old) {
    if (old) return statusWarnings(pod)
    const notLabel = isLabel(pod.metadata.name ?? '')
    const name = notLabel.length
      ? [
          `metadata.name: this is used in the Pod's hostname, which can result in surprising behavior; a DNS label is recommended: [${notLabel.join(' ')}]`,
        ]
      : []
    return [...name, ...podWarnings(pod.spec, pod.metadata)]
  },
})

/** Whether it stands for a static pod of a kubelet. */
const isMirror = ({ metadata }: Frozen<Pod>): boolean => metadata.annotations?.[mirrorAnnotation] !== undefined

/** The rules of metadata and spec that hold at every time. */
function checkWholePod(pod: Frozen<Pod>, errors: FieldErrors, base: PodRules): void {
  const { metadata } = pod
  const spec = pod.spec ?? { containers: [] }
  const at = field('spec')
  const rules = { ...base, podName: metadata.name, mirror: isMirror(pod) }
  checkPodAnnotations(pod, field('metadata', 'annotations'), errors, rules)
  checkPodSpec(spec, at, errors, rules)
  if (!spec.serviceAccountName) {
    spec.volumes?.forEach(({ projected }, i) =>
      projected?.sources?.forEach(({ serviceAccountToken }, j) => {
        if (serviceAccountToken)
          errors.forbidden(
            at.child('volumes').index(i).child('projected', 'sources').index(j).child('serviceAccountToken'),
            'must not be specified when serviceAccountName is not set',
          )
      }),
    )
  }
  spec.containers?.forEach((container, i) => checkImagePadding(container, at.child('containers').index(i), errors))
  spec.initContainers?.forEach((container, i) =>
    checkImagePadding(container, at.child('initContainers').index(i), errors),
  )
}

/** The grace period of a deletion: none for a Pod that no kubelet has or that has ended. */
function gracePeriodSeconds({ spec, status }: Frozen<Pod>, asked: number | undefined): number {
  const seconds = asked ?? spec?.terminationGracePeriodSeconds ?? 0
  if (!spec?.nodeName || status?.phase === 'Failed' || status?.phase === 'Succeeded') return 0
  return seconds < 0 ? 1 : seconds
}

function prepareUpdate(pod: Pod, old: Frozen<Pod>, { subresource }: RequestContext): void {
  if (subresource === 'status') {
    const owners = old.metadata.ownerReferences
    // Old kubelets wrote them back in part.
    if (owners) pod.metadata.ownerReferences = thaw(owners)
    else delete pod.metadata.ownerReferences
    const status = ensure(pod, 'status')
    if (old.status?.qosClass) status.qosClass ||= old.status.qosClass
    keepObservedGenerations(status, old.status ?? {})
    return
  }
  if (subresource === 'resize') keepOnlyResize(pod, old)
  else if (subresource === 'ephemeralcontainers') {
    const containers = pod.spec?.ephemeralContainers
    const { ephemeralContainers: _, ...spec } = thaw(old.spec) ?? { containers: [] }
    pod.spec = containers ? { ...spec, ephemeralContainers: containers } : spec
    if (old.status) pod.status = thaw(old.status)
    keepMetadata(pod.metadata, old.metadata)
  }
  if (pod.spec) dropDisabledFields(pod.spec, old.spec)
}

/** Limits without requests: then they are the requests too. Only of Pods, so that templates stay as they were written. */
function defaultRequests(spec: PodSpec): void {
  for (const container of spec.containers ?? []) requestLimits(container)
  for (const container of spec.initContainers ?? []) requestLimits(container)
  const { resources } = spec
  if (!resources) return
  const isEmpty = (amounts: object | undefined) => !Object.keys(amounts ?? {}).length
  if (!isEmpty(resources.limits) || !isEmpty(resources.requests)) {
    for (const [name, sum] of Object.entries(listOf(containerAmounts({ spec }, 'limits')))) {
      if (isHugePages(name) && resources.requests?.[name] === undefined) ensure(resources, 'limits')[name] ??= sum
    }
  }
  if (isEmpty(resources.limits)) return
  for (const [name, sum] of Object.entries(listOf(containerAmounts({ spec }, 'requests'))))
    if (isPodLevel(name) && overcommits(name)) ensure(resources, 'requests')[name] ??= sum
  for (const [name, limit] of Object.entries(resources.limits ?? {}))
    if (isPodLevel(name)) ensure(resources, 'requests')[name] ??= limit
}

function requestLimits({ resources }: Container): void {
  if (!resources?.limits) return
  const { requests, limits } = resources
  resources.requests = { ...requests, ...limits, ...requests }
}

function defaultHostPorts(containers: Container[] | undefined): void {
  for (const container of containers ?? [])
    for (const port of container.ports ?? []) port.hostPort ||= port.containerPort
}

/** One address and the list of them say the same; the single one leads, since old kubelets write only that. */
function alignIps(status: PodStatus): void {
  const { podIP, podIPs } = status
  if (podIP && podIPs?.[0]?.ip !== podIP) status.podIPs = [{ ip: podIP }]
  else if (!podIP && podIPs?.[0]) status.podIP = podIPs[0].ip
}

/** Profiles in annotations become fields where a container has none; the client is told whether or not that works out. */
function annotationsToAppArmor({ metadata: { annotations }, spec }: Pod, warn: (text: string) => void): void {
  if (!annotations || !spec || spec.os?.name === 'windows') return
  const ofPod = spec.securityContext?.appArmorProfile
  for (const container of [
    ...(spec.initContainers ?? []),
    ...(spec.containers ?? []),
    ...(spec.ephemeralContainers ?? []),
  ]) {
    const annotation = annotations[`${appArmorPrefix}${container.name}`]
    if (annotation === undefined || container.securityContext?.appArmorProfile) continue
    const profile = validAppArmor(annotation)
    if (profile && sameProfile(profile, ofPod)) continue
    if (profile) ensure(container, 'securityContext').appArmorProfile = profile
    warn(appArmorWarning(fieldRoot, container.name))
  }
}

function validAppArmor(annotation: string): AppArmorProfile | undefined {
  const errors = new FieldErrors()
  const profile = appArmorOf(annotation)
  checkAppArmorProfile(profile, field(), errors)
  return errors.empty ? profile : undefined
}

const sameProfile = (a: AppArmorProfile, b: AppArmorProfile | undefined): boolean =>
  a.type === b?.type && a.localhostProfile === b.localhostProfile

const fieldRoot = field()

function statusWarnings({ status }: Frozen<Pod>): string[] {
  const at = field('status')
  return [
    ...(status?.podIPs ?? []).flatMap(({ ip }, i) => ipWarnings(ip, at.child('podIPs').index(i).child('ip'))),
    ...(status?.hostIPs ?? []).flatMap(({ ip }, i) => ipWarnings(ip, at.child('hostIPs').index(i).child('ip'))),
  ]
}
