import type {
  Container,
  ContainerPort,
  EphemeralContainer,
  NodeSelectorTerm,
  PodAffinity,
  PodAntiAffinity,
  PodSpec,
} from '../../generated/types/core-v1.ts'
import type { ObjectMeta } from '../../generated/types/meta-v1.ts'
import type { Frozen } from '../../resource.ts'
import { equal } from '../../validation/equal.ts'
import { field, type FieldPath } from '../../validation/field.ts'
import { ipWarnings } from '../../validation/ips.ts'
import { isLabelValue } from '../../validation/names.ts'
import { isWholeAmount } from '../../validation/quantities.ts'
import { deprecatedNodeLabels } from '../deprecated-node-labels.ts'
import { appArmorPrefix } from './annotations.ts'
import { overlapWarnings } from './path-overlaps.ts'
import { eachContainer } from './windows.ts'

const quoted = (text: string) => JSON.stringify(text)

/** What is allowed but surely not meant. `at` is the template's path; undefined for a Pod. */
export function podWarnings(
  spec: Frozen<PodSpec> | undefined,
  metadata: Frozen<ObjectMeta> | undefined,
  at?: FieldPath,
): string[] {
  if (!spec) return []
  const root = at ?? field()
  const specAt = root.child('spec')
  const annotations = metadata?.annotations ?? {}
  const warnings = [
    ...selectorWarnings(spec, specAt),
    ...annotationWarnings(annotations, root),
    ...volumeWarnings(spec, specAt),
    ...overlapWarnings(spec.volumes ?? []),
    ...duplicateWarnings(spec, specAt),
    ...fractionWarnings(spec.overhead, specAt.child('overhead')),
  ]
  if (!spec.securityContext?.seccompProfile && annotations[seccompPod] !== undefined)
    warnings.push(noSeccomp(root, seccompPod))
  eachContainer(spec, specAt, (container, path) =>
    warnings.push(...containerWarnings(container, path, { spec, annotations, root, template: at !== undefined })),
  )
  warnings.push(...portWarnings(spec, specAt), ...portNameWarnings(spec, specAt))
  if ((spec.terminationGracePeriodSeconds ?? 0) < 0)
    warnings.push(
      `${specAt.child('terminationGracePeriodSeconds')}: must be >= 0; negative values are invalid and will be treated as 1`,
    )
  warnings.push(
    ...affinityWarnings(spec.affinity?.podAffinity, specAt.child('affinity', 'podAffinity')),
    ...affinityWarnings(spec.affinity?.podAntiAffinity, specAt.child('affinity', 'podAntiAffinity')),
  )
  spec.dnsConfig?.nameservers?.forEach((address, i) =>
    warnings.push(...ipWarnings(address, specAt.child('dnsConfig', 'nameservers').index(i))),
  )
  spec.hostAliases?.forEach(({ ip }, i) =>
    warnings.push(...ipWarnings(ip, specAt.child('hostAliases').index(i).child('ip'))),
  )
  return warnings
}

const seccompPod = 'seccomp.security.alpha.kubernetes.io/pod'
const seccompPrefix = 'container.seccomp.security.alpha.kubernetes.io/'
const noSeccomp = (root: FieldPath, key: string) =>
  `${root.child('metadata', 'annotations').key(key)}: non-functional in v1.27+; use the "seccompProfile" field instead`

function selectorWarnings(spec: Frozen<PodSpec>, at: FieldPath): string[] {
  const warnings: string[] = []
  for (const key in spec.nodeSelector) {
    const why = deprecatedNodeLabels.get(key)
    if (why) warnings.push(`${at.child('nodeSelector').key(key)}: ${why}`)
  }
  const affinity = spec.affinity?.nodeAffinity
  const path = at.child('affinity', 'nodeAffinity')
  affinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms?.forEach((term, i) => {
    warnings.push(
      ...nodeTermWarnings(
        term,
        false,
        path.child('requiredDuringSchedulingIgnoredDuringExecution', 'nodeSelectorTerms').index(i),
      ),
    )
  })
  affinity?.preferredDuringSchedulingIgnoredDuringExecution?.forEach(({ preference }, i) => {
    warnings.push(
      ...nodeTermWarnings(
        preference ?? {},
        true,
        path.child('preferredDuringSchedulingIgnoredDuringExecution').index(i).child('preference'),
      ),
    )
  })
  spec.topologySpreadConstraints?.forEach(({ topologyKey, labelSelector }, i) => {
    const constraint = at.child('topologySpreadConstraints').index(i)
    const why = deprecatedNodeLabels.get(topologyKey)
    if (why) warnings.push(`${constraint.child('topologyKey')}: ${topologyKey} is ${why}`)
    if (!labelSelector)
      warnings.push(`${constraint.child('labelSelector')}: a null labelSelector results in matching no pod`)
  })
  return warnings
}

/** Deprecated node labels in a term, and values that no label has. */
export function nodeTermWarnings(term: Frozen<NodeSelectorTerm>, values: boolean, at: FieldPath): string[] {
  return (term.matchExpressions ?? []).flatMap((expression, i) => {
    const path = at.child('matchExpressions').index(i)
    const why = deprecatedNodeLabels.get(expression.key)
    const wrong = values
      ? (expression.values ?? []).flatMap((value, j) =>
          isLabelValue(value).map((text) => `${path.child('values').index(j)}: ${value} is invalid, ${text}`),
        )
      : []
    return [...(why ? [`${path.child('key')}: ${expression.key} is ${why}`] : []), ...wrong]
  })
}

const deadAnnotations = [
  ['scheduler.alpha.kubernetes.io/critical-pod', 'non-functional in v1.16+; use the "priorityClassName" field instead'],
  ['security.alpha.kubernetes.io/sysctls', 'non-functional in v1.11+; use the "sysctls" field instead'],
  ['security.alpha.kubernetes.io/unsafe-sysctls', 'non-functional in v1.11+; use the "sysctls" field instead'],
] as const

const annotationWarnings = (annotations: Readonly<Record<string, string>>, root: FieldPath) =>
  deadAnnotations
    .filter(([key]) => annotations[key] !== undefined)
    .map(([key, why]) => `${root.child('metadata', 'annotations').key(key)}: ${why}`)

const deadVolumes = [
  ['photonPersistentDisk', 'deprecated in v1.11, non-functional in v1.16+'],
  ['gitRepo', 'deprecated in v1.11, and disabled by default in v1.33+'],
  ['scaleIO', 'deprecated in v1.16, non-functional in v1.22+'],
  ['flocker', 'deprecated in v1.22, non-functional in v1.25+'],
  ['storageos', 'deprecated in v1.22, non-functional in v1.25+'],
  ['quobyte', 'deprecated in v1.22, non-functional in v1.25+'],
  ['glusterfs', 'deprecated in v1.25, non-functional in v1.26+'],
  ['cephfs', 'deprecated in v1.28, non-functional in v1.31+'],
  ['rbd', 'deprecated in v1.28, non-functional in v1.31+'],
] as const

function volumeWarnings(spec: Frozen<PodSpec>, at: FieldPath): string[] {
  return (spec.volumes ?? []).flatMap((volume, i) => {
    const path = at.child('volumes').index(i)
    const dead = deadVolumes
      .filter(([name]) => volume[name])
      .map(([name, why]) => `${path.child(name === 'storageos' ? 'storageOS' : name)}: ${why}`)
    const claim = volume.ephemeral?.volumeClaimTemplate
    return claim
      ? [...dead, ...claimWarnings(claim.spec?.resources, path.child('ephemeral', 'volumeClaimTemplate', 'spec'))]
      : dead
  })
}

/** Fractions of bytes in a claim. */
export function claimWarnings(
  resources:
    | { readonly requests?: Readonly<Record<string, string>>; readonly limits?: Readonly<Record<string, string>> }
    | undefined,
  at: FieldPath,
): string[] {
  return (['requests', 'limits'] as const).flatMap((part) => {
    const amount = resources?.[part]?.['storage']
    return isWholeAmount(amount) ? [] : [fraction(at.child('resources', part).key('storage'), amount ?? '')]
  })
}

const fraction = (at: FieldPath, amount: string) =>
  `${at}: fractional byte value ${quoted(amount)} is invalid, must be an integer`

const fractionWarnings = (amounts: Readonly<Record<string, string>> | undefined, at: FieldPath) =>
  ['memory', 'ephemeral-storage'].flatMap((name) =>
    isWholeAmount(amounts?.[name]) ? [] : [fraction(at.key(name), amounts?.[name] ?? '')],
  )

function duplicateWarnings(spec: Frozen<PodSpec>, at: FieldPath): string[] {
  const warnings: string[] = []
  const seen = (values: readonly string[], tell: (value: string, i: number) => string) => {
    const known = new Set<string>()
    values.forEach((value, i) => (known.has(value) ? warnings.push(tell(value, i)) : known.add(value)))
  }
  seen(
    (spec.hostAliases ?? []).map(({ ip }) => ip),
    (ip, i) => `${at.child('hostAliases').index(i).child('ip')}: duplicate ip ${quoted(ip)}`,
  )
  const secrets = (spec.imagePullSecrets ?? []).map(({ name = '' }) => name)
  seen(secrets, (name, i) => `${at.child('imagePullSecrets').index(i).child('name')}: duplicate name ${quoted(name)}`)
  secrets.forEach((name, i) => {
    if (!name) warnings.push(`${at.child('imagePullSecrets').index(i).child('name')}: invalid empty name ""`)
  })
  return warnings
}

interface Around {
  readonly spec: Frozen<PodSpec>
  readonly annotations: Readonly<Record<string, string>>
  readonly root: FieldPath
  readonly template: boolean
}

function containerWarnings(
  container: Frozen<Container> | Frozen<EphemeralContainer>,
  at: FieldPath,
  { spec, annotations, root, template }: Around,
): string[] {
  const warnings: string[] = []
  const { name, securityContext, resources, env } = container
  if (!securityContext?.seccompProfile && annotations[`${seccompPrefix}${name}`] !== undefined)
    warnings.push(noSeccomp(root, `${seccompPrefix}${name}`))
  const appArmor = annotations[`${appArmorPrefix}${name}`]
  // For Pods the annotation is told of when it becomes a field.
  if (template && !securityContext?.appArmorProfile && appArmor !== undefined) {
    const ofPod = spec.securityContext?.appArmorProfile
    if (!ofPod || !equal(ofPod, appArmorOf(appArmor))) warnings.push(appArmorWarning(root, name))
  }
  warnings.push(
    ...fractionWarnings(resources?.limits, at.child('resources', 'limits')),
    ...fractionWarnings(resources?.requests, at.child('resources', 'requests')),
  )
  const known = new Set<string>()
  env?.forEach((variable, i) => {
    if (!known.has(variable.name)) return known.add(variable.name)
    const reference = `$(${variable.name})`
    if (variable.valueFrom || variable.value === reference || !variable.value?.includes(reference)) {
      warnings.push(
        `${at.child('env').index(i)}: hides previous definition of ${quoted(variable.name)}, which may be dropped when using apply`,
      )
    }
  })
  return warnings
}

/** The warning for AppArmor profiles in annotations. */
export const appArmorWarning = (root: FieldPath, container: string): string =>
  `${root.child('metadata', 'annotations').key(`${appArmorPrefix}${container}`)}: deprecated since v1.30; use the "appArmorProfile" field instead`

/** The field that says what the old annotation says. */
export function appArmorOf(annotation: string): { type: string; localhostProfile?: string } | undefined {
  if (annotation === 'unconfined') return { type: 'Unconfined' }
  if (annotation === 'runtime/default') return { type: 'RuntimeDefault' }
  const profile = annotation.startsWith('localhost/') ? annotation.slice('localhost/'.length) : ''
  return profile ? { type: 'Localhost', localhostProfile: profile } : undefined
}

function portWarnings(spec: Frozen<PodSpec>, at: FieldPath): string[] {
  const warnings: string[] = []
  const known = new Map<string, { at: FieldPath; port: Frozen<ContainerPort> }[]>()
  eachContainer(spec, at, ({ ports }, path) =>
    ports?.forEach((port, i) => {
      const portAt = path.child('ports').index(i)
      const { hostIP = '', hostPort = 0 } = port
      if (hostIP && !hostPort) warnings.push(`${portAt}: hostIP set without hostPort: ${JSON.stringify(port)}`)
      const key = `${port.containerPort}/${port.protocol}`
      const others = known.get(key) ?? []
      for (const other of others) {
        const { hostIP: otherIP = '', hostPort: otherPort = 0 } = other.port
        if (hostIP === otherIP && hostPort === otherPort)
          warnings.push(`${portAt}: duplicate port definition with ${other.at}`)
        else if (!hostPort || !otherPort) warnings.push(`${portAt}: overlapping port definition with ${other.at}`)
        else if (hostPort === otherPort && !hostIP !== !otherIP)
          warnings.push(`${portAt}: dangerously ambiguous port definition with ${other.at}`)
      }
      known.set(key, [...others, { at: portAt, port }])
    }),
  )
  return warnings
}

function portNameWarnings(spec: Frozen<PodSpec>, at: FieldPath): string[] {
  const warnings: string[] = []
  const known = new Map<string, FieldPath>()
  eachContainer(spec, at, ({ ports }, path) =>
    ports?.forEach(({ name }, i) => {
      if (!name) return
      const portAt = path.child('ports').index(i)
      const other = known.get(name)
      if (other)
        warnings.push(
          `${portAt}: duplicate port name ${quoted(name)} with ${other}, services and probes that select ports by name will use ${other}`,
        )
      else known.set(name, portAt)
    }),
  )
  return warnings
}

function affinityWarnings(affinity: Frozen<PodAffinity | PodAntiAffinity> | undefined, at: FieldPath): string[] {
  const why = 'a null labelSelector results in matching no pod'
  const required = (affinity?.requiredDuringSchedulingIgnoredDuringExecution ?? []).flatMap(({ labelSelector }, i) =>
    labelSelector
      ? []
      : [`${at.child('requiredDuringSchedulingIgnoredDuringExecution').index(i).child('labelSelector')}: ${why}`],
  )
  const preferred = (affinity?.preferredDuringSchedulingIgnoredDuringExecution ?? []).flatMap(
    ({ podAffinityTerm }, i) =>
      podAffinityTerm?.labelSelector
        ? []
        : [
            `${at.child('preferredDuringSchedulingIgnoredDuringExecution').index(i).child('podAffinityTerm', 'labelSelector')}: ${why}`,
          ],
  )
  return [...required, ...preferred]
}
