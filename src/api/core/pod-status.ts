import type {
  Container,
  ContainerStatus,
  Pod,
  PodExtendedResourceClaimStatus,
  PodSpec,
  PodStatus,
} from '../generated/types/core-v1.ts'
import type { Frozen } from '../resource.ts'
import { field, type FieldErrors, type FieldPath } from '../validation/field.ts'
import { checkLegacyIp, parseIp } from '../validation/ips.ts'
import { immutableText, isLabel, isQualifiedName, isSubdomain, isUserOrGroup } from '../validation/names.ts'
import { checkAnnotationUpdates, checkPodAnnotations } from './pod-spec/annotations.ts'
import type { PodRules } from './pod-spec/rules.ts'

const systemConditions = new Set(['PodScheduled', 'Ready', 'Initialized'])
type Statuses = Frozen<ContainerStatus[]> | undefined

const statusLists = ['containerStatuses', 'initContainerStatuses', 'ephemeralContainerStatuses'] as const
type StatusList = (typeof statusLists)[number]

/** The containers of which a list tells, if they may restart: those for debugging never do. */
const mayRestartIn = {
  containerStatuses: 'containers',
  initContainerStatuses: 'initContainers',
  ephemeralContainerStatuses: undefined,
} as const

/** What a kubelet may and may not say about a Pod. */
export function checkPodStatus(pod: Frozen<Pod>, old: Frozen<Pod>, errors: FieldErrors, rules: PodRules): void {
  const { metadata, spec = { containers: [] }, status = {} } = pod
  const before = old.status ?? {}
  const annotationsAt = field('metadata', 'annotations')
  checkAnnotationUpdates(metadata.annotations, old.metadata.annotations, annotationsAt, errors)
  checkPodAnnotations(pod, annotationsAt, errors, rules)
  const at = field('status')
  status.conditions?.forEach(({ type = '', observedGeneration = 0 }, i) => {
    if (observedGeneration < 0)
      errors.invalid(
        at.child('conditions').index(i).child('observedGeneration'),
        observedGeneration,
        'must be a non-negative integer',
      )
    if (!systemConditions.has(type))
      for (const text of isQualifiedName(type))
        errors.invalid(at.child('conditions').index(i).child('Type'), type, text)
  })
  checkNominatedNode(status, old, at.child('nominatedNodeName'), errors)
  if ((status.observedGeneration ?? 0) < 0)
    errors.invalid(at.child('observedGeneration'), status.observedGeneration, 'must be a non-negative integer')
  if ((status.qosClass ?? '') !== (before.qosClass ?? ''))
    errors.invalid(at.child('qosClass'), status.qosClass ?? '', immutableText)
  for (const list of statusLists) checkTransitions(list, status, old, errors)
  checkClaimStatuses(status, spec, at, errors)
  checkIps(status.podIPs, before.podIPs, at.child('podIPs'), errors)
  if (status.hostIPs?.length) {
    if ((status.hostIP ?? '') !== status.hostIPs[0]?.ip)
      errors.invalid(at.child('hostIPs').index(0).child('ip'), status.hostIPs[0]?.ip, 'must be equal to `hostIP`')
    checkIps(status.hostIPs, before.hostIPs, at.child('hostIPs'), errors)
  }
  for (const list of statusLists) checkUsers(status[list], spec.os?.name ?? 'linux', at.child(list), errors)
  checkAllocated(status.containerStatuses, spec.containers, at.child('containerStatuses'), errors)
  checkAllocated(status.initContainerStatuses, spec.initContainers, at.child('initContainerStatuses'), errors)
  status.ephemeralContainerStatuses?.forEach(({ allocatedResourcesStatus }, i) => {
    if (allocatedResourcesStatus?.length)
      errors.forbidden(
        at.child('ephemeralContainerStatuses').index(i).child('allocatedResourcesStatus'),
        'must not be specified in container status',
      )
  })
}

/** A client that does not know of observed generations does not erase them. */
export function keepObservedGenerations(status: PodStatus, old: Frozen<PodStatus>): void {
  if (old.observedGeneration) status.observedGeneration ||= old.observedGeneration
  const left = [...(old.conditions ?? [])]
  for (const condition of status.conditions ?? []) {
    const index = left.findIndex(({ type }) => type === condition.type)
    const [before] = index < 0 ? [] : left.splice(index, 1)
    if (before?.observedGeneration) condition.observedGeneration ||= before.observedGeneration
  }
}

function checkNominatedNode(
  { nominatedNodeName: node = '' }: Frozen<PodStatus>,
  old: Frozen<Pod>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (!node || node === (old.status?.nominatedNodeName ?? '')) return
  for (const text of isSubdomain(node)) errors.invalid(at, node, text)
  if (old.spec?.nodeName) errors.forbidden(at, 'may not be set on pods that are already bound to a node')
}

/** A container that has ended stays so, unless it may restart. */
function checkTransitions(list: StatusList, status: Frozen<PodStatus>, old: Frozen<Pod>, errors: FieldErrors): void {
  old.status?.[list]?.forEach(({ name, state }, i) => {
    const ended = state?.terminated
    if (!ended) return
    const now = status[list]?.find((each) => each.name === name && !each.state?.terminated)
    if (!now) return
    const containers = mayRestartIn[list]
    const container = containers && old.spec?.[containers]?.find((candidate) => candidate.name === name)
    if (!old.spec || !container || !mayRestart(container, old.spec, ended.exitCode ?? 0))
      errors.forbidden(field('status', list).index(i).child('state'), 'may not be transitioned to non-terminated state')
  })
}

/** Whether a container starts again after it ended with this code: its own rules first, then its policy, then the Pod's. */
export function mayRestart(
  { restartPolicy, restartPolicyRules }: Frozen<Container>,
  spec: Frozen<PodSpec>,
  exitCode: number,
): boolean {
  for (const { action, exitCodes } of restartPolicyRules ?? []) {
    const listed = exitCodes?.values?.includes(exitCode) ?? false
    if (exitCodes && (exitCodes.operator === 'In' ? listed : !listed)) return action === 'Restart'
  }
  const policy = restartPolicy ?? spec.restartPolicy
  return policy === 'Always' || (policy === 'OnFailure' && exitCode !== 0)
}

function checkClaimStatuses(
  status: Frozen<PodStatus>,
  spec: Frozen<PodSpec>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  const names = new Set<string>()
  status.resourceClaimStatuses?.forEach(({ name = '', resourceClaimName }, i) => {
    const path = at.child('resourceClaimStatuses').index(i).child('name')
    if (!spec.resourceClaims?.some((claim) => claim.name === name))
      errors.invalid(path, name, 'must match the name of an entry in `spec.resourceClaims`')
    if (names.has(name)) errors.duplicate(path, name)
    names.add(name)
    if (resourceClaimName !== undefined)
      for (const text of isSubdomain(resourceClaimName)) errors.invalid(path, resourceClaimName, text)
  })
  if (status.extendedResourceClaimStatus)
    checkExtendedClaim(status.extendedResourceClaimStatus, spec, at.child('extendedResourceClaimStatus'), errors)
}

function checkExtendedClaim(
  { requestMappings = [], resourceClaimName }: Frozen<PodExtendedResourceClaimStatus>,
  spec: Frozen<PodSpec>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  const containers = new Map(
    [...(spec.initContainers ?? []), ...(spec.containers ?? [])].map((container) => [container.name, container]),
  )
  if (!requestMappings.length) errors.required(at.child('requestMappings'), 'at least one request mapping is required')
  const seen = new Set<string>()
  requestMappings.forEach(({ containerName, resourceName, requestName }, i) => {
    const path = at.child('requestMappings').index(i)
    const container = containers.get(containerName)
    if (!container)
      errors.invalid(
        path.child('containerName'),
        containerName,
        'must match the name of an entry in spec.initContainers.name or spec.containers.name',
      )
    else if (container.resources?.requests?.[resourceName] === undefined)
      errors.invalid(
        path.child('resourceName'),
        resourceName,
        'must match the extended resource name of an entry in spec.initContainers.resources.requests or spec.containers.resources.requests',
      )
    for (const text of isLabel(requestName)) errors.invalid(at.child('requestName'), requestName, text)
    const id = JSON.stringify([containerName, resourceName, requestName])
    if (seen.has(id)) {
      errors.duplicate(path.child('containerName'), containerName)
      errors.duplicate(path.child('resourceName'), resourceName)
      errors.duplicate(path.child('requestName'), requestName)
    }
    seen.add(id)
  })
  if (!resourceClaimName) errors.required(at.child('resourceClaimName'))
  else
    for (const text of isSubdomain(resourceClaimName))
      errors.invalid(at.child('resourceClaimName'), resourceClaimName, text)
}

function checkIps(
  ips: readonly { readonly ip?: string }[] = [],
  old: readonly { readonly ip?: string }[] = [],
  at: FieldPath,
  errors: FieldErrors,
): void {
  ips.forEach(({ ip = '' }, i) => {
    if (!old.some((before) => before.ip === ip)) checkLegacyIp(ip, at.index(i), errors)
  })
  if (ips.length < 2) return
  const families = new Set(ips.map(({ ip = '' }) => parseIp(ip)?.bytes.length))
  if (families.has(undefined)) errors.internal(at, `failed to check for dual stack with error:invalid IPs`)
  if (families.size !== 2 || ips.length > 2 || families.has(undefined))
    errors.invalid(at, ips, 'may specify no more than one IP for each IP family')
}

function checkUsers(statuses: Statuses, os: string, at: FieldPath, errors: FieldErrors): void {
  statuses?.forEach(({ user }, i) => {
    const linux = user?.linux
    if (!linux) return
    const path = at.index(i).child('user', 'linux')
    if (os === 'windows') return errors.forbidden(path, 'cannot be set for a windows pod')
    for (const text of isUserOrGroup(linux.uid ?? 0)) errors.invalid(path.child('uid'), linux.uid, text)
    for (const text of isUserOrGroup(linux.gid ?? 0)) errors.invalid(path.child('gid'), linux.gid, text)
    linux.supplementalGroups?.forEach((group, j) => {
      for (const text of isUserOrGroup(group)) errors.invalid(path.child('supplementalGroups').index(j), group, text)
    })
  })
}

const healths = ['Healthy', 'Unhealthy', 'Unknown']

function checkAllocated(
  statuses: Statuses,
  containers: Frozen<Container[]> | undefined,
  at: FieldPath,
  errors: FieldErrors,
): void {
  statuses?.forEach((status, i) =>
    status.allocatedResourcesStatus?.forEach(({ name, resources }, j) => {
      const path = at.index(i).child('allocatedResourcesStatus').index(j)
      const container = containers?.find((candidate) => candidate.name === status.name)
      const claimed = name.startsWith('claim:')
      const known = claimed
        ? container?.resources?.claims?.some(
            (claim) => `claim:${claim.name}${claim.request ? `/${claim.request}` : ''}` === name,
          )
        : container?.resources?.requests?.[name] !== undefined
      if (container && !known) {
        const why = claimed
          ? "must match one of the container's resource claims in a format 'claim:<claimName>/<request>' or 'claim:<claimName>' if request is empty"
          : "must match one of the container's resource requests"
        errors.invalid(path.child('name'), name, why)
      }
      const ids = new Set<string>()
      resources?.forEach(({ resourceID, health = '' }, k) => {
        if (!healths.includes(health))
          errors.notSupported(path.child('resources').index(k).child('health'), health, healths)
        if (ids.has(resourceID)) errors.duplicate(path.child('resources').index(k).child('resourceID'), resourceID)
        ids.add(resourceID)
      })
    }),
  )
}
