import type { HostAlias, PodDNSConfig, PodResourceClaim, PodSpec } from '../../generated/types/core-v1.ts'
import type { Frozen } from '../../resource.ts'
import { type FieldErrors, type FieldPath, nowhere } from '../../validation/field.ts'
import { checkLegacyIp } from '../../validation/ips.ts'
import { checkLabels } from '../../validation/labels.ts'
import { isLabel, isQualifiedName, isSubdomain, isSubdomainWithUnderscore, rangeText } from '../../validation/names.ts'
import { checkAffinity } from './affinity.ts'
import { checkContainers, checkEphemeralContainers, checkInitContainers } from './containers.ts'
import { checkOverhead, checkPodResources } from './resources.ts'
import type { PodRules } from './rules.ts'
import { checkPodSecurityContext } from './security.ts'
import { checkTolerations } from './tolerations.ts'
import { checkTopologySpread } from './topology-spread.ts'
import { checkVolumes } from './volumes.ts'
import { checkHostProcess, checkOs, eachContainer } from './windows.ts'

const secondsMax = 2 ** 31 - 1

/** A pod spec, of a Pod or in a template. */
export function checkPodSpec(spec: Frozen<PodSpec>, at: FieldPath, errors: FieldErrors, rules: PodRules): void {
  if (spec.terminationGracePeriodSeconds === undefined) errors.required(at.child('terminationGracePeriodSeconds'))
  const volumes = checkVolumes(spec.volumes, at.child('volumes'), errors, rules)
  const claims = new Set((spec.resourceClaims ?? []).map(({ name }) => name).filter(Boolean))
  if (spec.resourceClaims?.length) checkResourceClaims(spec.resourceClaims, at.child('resourceClaims'), errors, rules)
  const scope = { spec, volumes, claims, rules, errors }
  checkContainers(scope, at.child('containers'))
  checkInitContainers(scope, at.child('initContainers'))
  checkEphemeralContainers(scope, at.child('ephemeralContainers'))
  checkPodResources(spec, at, errors, rules)
  if (spec.hostNetwork) checkHostNetworkPorts(spec, at.child('containers'), errors, rules)
  checkPolicies(spec, at, errors)
  checkLabels(spec.nodeSelector, at.child('nodeSelector'), errors)
  checkPodSecurityContext(spec, at, errors, rules)
  checkAffinity(spec.affinity, at.child('affinity'), errors, rules)
  checkDnsConfig(spec.dnsConfig, spec.dnsPolicy, at.child('dnsConfig'), errors)
  checkGates(spec, at, errors)
  checkTopologySpread(spec.topologySpreadConstraints, at.child('topologySpreadConstraints'), errors, rules)
  checkHostProcess(spec, at, errors)
  if (spec.hostUsers === false) checkUserNamespace(spec, at, errors, rules)
  checkNames(spec, at, errors)
  checkTolerations(spec.tolerations, at.child('tolerations'), errors)
  checkHostAliases(spec.hostAliases, at.child('hostAliases'), errors)
  if (spec.overhead) checkOverhead(spec.overhead, at.child('overhead'), errors, rules.partialHugePages)
  checkOs(spec, at, errors)
  checkFileKeys(spec, at, errors)
}

const restartPolicies = ['Always', 'OnFailure', 'Never']
const dnsPolicies = ['ClusterFirstWithHostNet', 'ClusterFirst', 'Default', 'None']
const preemptionPolicies = ['PreemptLowerPriority', 'Never']

function checkPolicies(
  { restartPolicy, dnsPolicy, preemptionPolicy, activeDeadlineSeconds: deadline }: Frozen<PodSpec>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (!restartPolicy) errors.required(at.child('restartPolicy'))
  else if (!restartPolicies.includes(restartPolicy))
    errors.notSupported(at.child('restartPolicy'), restartPolicy, restartPolicies)
  if (!dnsPolicy) errors.required(at.child('dnsPolicy'))
  else if (!dnsPolicies.includes(dnsPolicy)) errors.notSupported(at.child('dnsPolicy'), dnsPolicy, dnsPolicies)
  checkPreemptionPolicy(preemptionPolicy, at.child('preemptionPolicy'), errors)
  if (deadline !== undefined && (deadline < 1 || deadline > secondsMax))
    errors.invalid(at.child('activeDeadlineSeconds'), deadline, rangeText(1, secondsMax))
}

/** Whether Pods of lower priority may have to go; also of priority classes. */
export function checkPreemptionPolicy(policy: string | undefined, at: FieldPath, errors: FieldErrors): void {
  if (policy === undefined || preemptionPolicies.includes(policy)) return
  if (!policy) errors.required(at)
  else errors.notSupported(at, policy, preemptionPolicies)
}

function checkNames(spec: Frozen<PodSpec>, at: FieldPath, errors: FieldErrors): void {
  for (const name of ['serviceAccountName', 'nodeName', 'priorityClassName'] as const) {
    const value = spec[name]
    if (value) for (const text of isSubdomain(value)) errors.invalid(at.child(name), value, text)
  }
  if (spec.runtimeClassName !== undefined)
    for (const text of isSubdomain(spec.runtimeClassName))
      errors.invalid(at.child('runtimeClassName'), spec.runtimeClassName, text)
  for (const name of ['hostname', 'subdomain'] as const) {
    const value = spec[name]
    if (value) for (const text of isLabel(value)) errors.invalid(at.child(name), value, text)
  }
  const { hostnameOverride } = spec
  if (hostnameOverride === undefined) return
  const path = at.child('hostnameOverride')
  if (spec.setHostnameAsFQDN) errors.forbidden(path, 'may not be specified when setHostnameAsFQDN is true')
  if (spec.hostNetwork) errors.forbidden(path, 'may not be specified when hostNetwork is true')
  if (hostnameOverride.length > 64) errors.tooLong(path, 64)
  for (const text of isSubdomain(hostnameOverride)) errors.invalid(path, hostnameOverride, text)
}

function checkResourceClaims(
  claims: Frozen<PodResourceClaim[]>,
  at: FieldPath,
  errors: FieldErrors,
  rules: PodRules,
): void {
  const names = new Set<string>()
  claims.forEach((claim, i) => {
    if (rules.mirror) return errors.forbidden(nowhere(), 'static pods do not support resource claims')
    const path = at.index(i)
    const { name, resourceClaimName, resourceClaimTemplateName } = claim
    if (!name) errors.required(path.child('name'))
    else if (names.has(name)) errors.duplicate(path.child('name'), name)
    else for (const text of isLabel(name)) errors.invalid(path.child('name'), name, text)
    names.add(name)
    if (resourceClaimName !== undefined && resourceClaimTemplateName !== undefined)
      errors.invalid(path, claim, 'at most one of `resourceClaimName` or `resourceClaimTemplateName` may be specified')
    if (resourceClaimName === undefined && resourceClaimTemplateName === undefined)
      errors.invalid(path, claim, 'must specify one of: `resourceClaimName`, `resourceClaimTemplateName`')
    if (resourceClaimName !== undefined)
      for (const text of isSubdomain(resourceClaimName))
        errors.invalid(path.child('resourceClaimName'), resourceClaimName, text)
    if (resourceClaimTemplateName !== undefined)
      for (const text of isSubdomain(resourceClaimTemplateName))
        errors.invalid(path.child('resourceClaimTemplateName'), resourceClaimTemplateName, text)
  })
}

/** On the host's network a container's port is the host's port; in templates the host's port may still be missing. */
function checkHostNetworkPorts(spec: Frozen<PodSpec>, at: FieldPath, errors: FieldErrors, rules: PodRules): void {
  spec.containers?.forEach(({ ports }, i) =>
    ports?.forEach(({ hostPort = 0, containerPort = 0 }, j) => {
      if ((rules.isPod || hostPort) && hostPort !== containerPort)
        errors.invalid(
          at.index(i).child('ports').index(j).child('hostPort'),
          hostPort,
          'must match `containerPort` when `hostNetwork` is true',
        )
    }),
  )
}

const nameserversMax = 3
const searchesMax = 32
const searchCharactersMax = 2048

function checkDnsConfig(
  config: Frozen<PodDNSConfig> | undefined,
  policy: string | undefined,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (policy === 'None') {
    if (!config) return errors.required(at, 'must provide `dnsConfig` when `dnsPolicy` is None')
    if (!config.nameservers?.length)
      return errors.required(
        at.child('nameservers'),
        'must provide at least one DNS nameserver when `dnsPolicy` is None',
      )
  }
  if (!config) return
  const { nameservers = [], searches = [], options } = config
  if (nameservers.length > nameserversMax)
    errors.invalid(at.child('nameservers'), nameservers, `must not have more than ${nameserversMax} nameservers`)
  nameservers.forEach((address, i) => checkLegacyIp(address, at.child('nameservers').index(i), errors))
  if (searches.length > searchesMax)
    errors.invalid(at.child('searches'), searches, `must not have more than ${searchesMax} search paths`)
  if (searches.join(' ').length > searchCharactersMax)
    errors.invalid(
      at.child('searches'),
      searches,
      `must not have more than ${searchCharactersMax} characters (including spaces) in the search list`,
    )
  searches.forEach((search, i) => {
    if (search === '.') return
    const name = search.endsWith('.') ? search.slice(0, -1) : search
    for (const text of isSubdomainWithUnderscore(name)) errors.invalid(at.child('searches').index(i), name, text)
  })
  options?.forEach(({ name }, i) => {
    if (!name) errors.required(at.child('options').index(i), 'must not be empty')
  })
}

function checkGates({ readinessGates, schedulingGates }: Frozen<PodSpec>, at: FieldPath, errors: FieldErrors): void {
  readinessGates?.forEach(({ conditionType = '' }, i) => {
    for (const text of isQualifiedName(conditionType))
      errors.invalid(at.child('readinessGates').index(i).child('conditionType'), conditionType, text)
  })
  const names = new Set<string>()
  schedulingGates?.forEach(({ name = '' }, i) => {
    const path = at.child('schedulingGates').index(i)
    for (const text of isQualifiedName(name)) errors.invalid(path, name, text)
    if (names.has(name)) errors.duplicate(path, name)
    names.add(name)
  })
}

/** A Pod with its own user namespace shares no others with the host. */
function checkUserNamespace(spec: Frozen<PodSpec>, at: FieldPath, errors: FieldErrors, rules: PodRules): void {
  const why = 'when `hostUsers` is false'
  if (!spec.securityContext && !spec.hostNetwork && !spec.hostPID && !spec.hostIPC) return
  if (spec.hostNetwork) errors.forbidden(at.child('hostNetwork'), why)
  if (spec.hostPID) errors.forbidden(at.child('HostPID'), why)
  if (spec.hostIPC) errors.forbidden(at.child('HostIPC'), why)
  if (rules.userNamespaceDevices) return
  eachContainer(spec, at, ({ volumeDevices }, path) => {
    if (volumeDevices?.length) errors.forbidden(path.child('volumeDevices'), why)
  })
}

function checkHostAliases(aliases: Frozen<HostAlias[]> | undefined, at: FieldPath, errors: FieldErrors): void {
  aliases?.forEach(({ ip = '', hostnames }, i) => {
    checkLegacyIp(ip, at.index(i).child('ip'), errors)
    hostnames?.forEach((name, j) => {
      for (const text of isSubdomain(name)) errors.invalid(at.index(i).child('hostnames').index(j), name, text)
    })
  })
}

/** Variables read from files: the file's volume must be an emptyDir. */
function checkFileKeys(spec: Frozen<PodSpec>, at: FieldPath, errors: FieldErrors): void {
  eachContainer(spec, at, ({ env }, path) => {
    env?.forEach(({ valueFrom }, i) => {
      const name = valueFrom?.fileKeyRef?.volumeName
      if (!valueFrom?.fileKeyRef) return
      const nameAt = path.child('env').index(i).child('valueFrom', 'fileKeyRef', 'volumeName')
      const volume = spec.volumes?.findLast((candidate) => candidate.name === name)
      if (!volume) errors.notFound(nameAt, name)
      else if (!volume.emptyDir) errors.invalid(nameAt, name, 'referenced volume must be of type emptyDir')
    })
  })
}
