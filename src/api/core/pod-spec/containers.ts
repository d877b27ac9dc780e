import type {
  Container,
  ContainerPort,
  ContainerResizePolicy,
  ContainerRestartRule,
  EphemeralContainer,
  PodSpec,
  Volume,
} from '../../generated/types/core-v1.ts'
import type { Frozen } from '../../resource.ts'
import type { FieldErrors, FieldPath } from '../../validation/field.ts'
import { isLabel, isPortName, isPortNumber } from '../../validation/names.ts'
import { checkContainerResourceName } from '../resource-names.ts'
import { checkEnv, checkEnvFrom } from './env.ts'
import { hasBacksteps } from './paths.ts'
import { checkLifecycle, checkProbes } from './probes.ts'
import { checkRequirements } from './resources.ts'
import type { PodRules } from './rules.ts'
import { checkSecurityContext } from './security.ts'
import { checkVolumeMounts } from './volume-mounts.ts'

/** What containers are checked against. */
export interface ContainerScope {
  readonly spec: Frozen<PodSpec>
  readonly volumes: ReadonlyMap<string, Frozen<Volume>>
  readonly claims: ReadonlySet<string>
  readonly rules: PodRules
  readonly errors: FieldErrors
}

/** The containers that make up the Pod. */
export function checkContainers(scope: ContainerScope, at: FieldPath): void {
  const { spec, errors } = scope
  if (!spec.containers?.length) return errors.required(at)
  const names = new Set<string>()
  spec.containers.forEach((container, i) => {
    const path = at.index(i)
    checkCommon(container, path, scope)
    if (names.has(container.name)) errors.duplicate(path.child('name'), container.name)
    names.add(container.name)
    if (container.lifecycle)
      checkLifecycle(container.lifecycle, path.child('lifecycle'), errors, {
        graceSeconds: spec.terminationGracePeriodSeconds,
        os: spec.os,
      })
    checkProbes(container, path, errors)
    checkRestartPolicy(container, path, errors)
  })
  checkHostPorts(spec.containers, at, errors)
}

const onlySidecars = 'may not be set for init containers without restartPolicy=Always'

/** Containers that run before, and sidecars. */
export function checkInitContainers(scope: ContainerScope, at: FieldPath): void {
  const { spec, errors } = scope
  if (!spec.initContainers?.length) return
  const names = new Set(spec.containers?.map(({ name }) => name))
  spec.initContainers.forEach((container, i) => {
    const path = at.index(i)
    checkCommon(container, path, scope)
    const { restartPolicy, restartPolicyRules } = container
    if (restartPolicy === 'Always') {
      if (restartPolicyRules?.length)
        errors.forbidden(
          path.child('restartPolicyRules'),
          'restartPolicyRules are not allowed for init containers with restart policy Always',
        )
    } else checkRestartPolicy(container, path, errors)
    if (names.has(container.name)) errors.duplicate(path.child('name'), container.name)
    else if (container.name) names.add(container.name)
    checkHostPorts([container], at, errors)
    if (restartPolicy === 'Always') {
      if (container.lifecycle)
        checkLifecycle(container.lifecycle, path.child('lifecycle'), errors, {
          graceSeconds: spec.terminationGracePeriodSeconds,
          os: spec.os,
        })
      checkProbes(container, path, errors)
    } else
      for (const name of ['lifecycle', 'livenessProbe', 'readinessProbe', 'startupProbe'] as const)
        if (container[name]) errors.forbidden(path.child(name), onlySidecars)
  })
}

const forbiddenInEphemeral = [
  'ports',
  'resources',
  'livenessProbe',
  'readinessProbe',
  'startupProbe',
  'lifecycle',
  'resizePolicy',
  'restartPolicy',
  'restartPolicyRules',
] as const

/** Containers added to a running Pod. */
export function checkEphemeralContainers(scope: ContainerScope, at: FieldPath): void {
  const { spec, errors } = scope
  if (!spec.ephemeralContainers?.length) return
  const others = new Set([...(spec.containers ?? []), ...(spec.initContainers ?? [])].map(({ name }) => name))
  const names = new Set(others)
  const why = 'cannot be set for an Ephemeral Container'
  spec.ephemeralContainers.forEach((container, i) => {
    const path = at.index(i)
    checkCommon(container, path, scope)
    checkImagePadding(container, path, errors)
    if (names.has(container.name)) errors.duplicate(path.child('name'), container.name)
    names.add(container.name)
    const { targetContainerName: target } = container
    if (target && !others.has(target)) errors.notFound(path.child('targetContainerName'), target)
    for (const name of forbiddenInEphemeral) if (isSet(container[name])) errors.forbidden(path.child(name), why)
    container.volumeMounts?.forEach((mount, j) => {
      if (mount.subPath) errors.forbidden(path.child('volumeMounts').index(j).child('subPath'), why)
      if (mount.subPathExpr) errors.forbidden(path.child('volumeMounts').index(j).child('subPathExpr'), why)
    })
  })
}

const isSet = (value: unknown) =>
  value !== undefined &&
  value !== null &&
  !(typeof value === 'object' && Object.values(value).every((part) => part === undefined))

/** Pods, unlike templates, refuse an image with white space around it. */
export function checkImagePadding(
  { image = '' }: Frozen<Container | EphemeralContainer>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (image !== image.trim()) errors.invalid(at.child('image'), image, 'must not have leading or trailing whitespace')
}

const policies = ['Always', 'IfNotPresent', 'Never']

/** Image pull policy, also of image volumes. */
export function checkPullPolicy(policy: string | undefined, at: FieldPath, name: string, errors: FieldErrors): void {
  if (!policy) errors.required(at.child(name))
  else if (!policies.includes(policy)) errors.notSupported(at.child(name), policy, policies)
}

function checkCommon(
  container: Frozen<Container | EphemeralContainer>,
  at: FieldPath,
  { spec, volumes, claims, rules, errors }: ContainerScope,
): void {
  if (!container.name) errors.required(at.child('name'))
  else for (const text of isLabel(container.name)) errors.invalid(at.child('name'), container.name, text)
  if (!container.image) errors.required(at.child('image'))
  const { terminationMessagePolicy: message = '' } = container
  if (!message) errors.required(at.child('terminationMessagePolicy'))
  else if (message !== 'File' && message !== 'FallbackToLogsOnError')
    errors.notSupported(at.child('terminationMessagePolicy'), message, ['File', 'FallbackToLogsOnError'])
  if (container.ports?.length) checkPorts(container.ports, at.child('ports'), errors)
  if (container.env?.length) checkEnv(container.env, at.child('env'), errors)
  if (container.envFrom?.length) checkEnvFrom(container.envFrom, at.child('envFrom'), errors)
  if (container.volumeMounts?.length) checkVolumeMounts(container, volumes, at.child('volumeMounts'), errors)
  if (container.volumeDevices?.length) checkVolumeDevices(container, volumes, at.child('volumeDevices'), errors)
  checkPullPolicy(container.imagePullPolicy, at, 'imagePullPolicy', errors)
  if (container.resources) {
    const resourceRules = { nameRule: checkContainerResourceName, claims, partialHugePages: rules.partialHugePages }
    checkRequirements(container.resources, resourceRules, at.child('resources'), errors)
  }
  if (container.resizePolicy?.length)
    checkResizePolicy(container.resizePolicy, spec.restartPolicy, at.child('resizePolicy'), errors)
  if (container.securityContext)
    checkSecurityContext(container.securityContext, at.child('securityContext'), errors, spec.hostUsers !== false)
}

/** The protocols of ports. */
export const portProtocols = ['SCTP', 'TCP', 'UDP']

function checkPorts(ports: Frozen<ContainerPort[]>, at: FieldPath, errors: FieldErrors): void {
  const names = new Set<string>()
  ports.forEach(({ name, containerPort, hostPort, protocol }, i) => {
    const path = at.index(i)
    if (name) {
      const wrong = isPortName(name)
      for (const text of wrong) errors.invalid(path.child('name'), name, text)
      if (!wrong.length && names.has(name)) errors.duplicate(path.child('name'), name)
      if (!wrong.length) names.add(name)
    }
    if (!containerPort) errors.required(path.child('containerPort'))
    else
      for (const text of isPortNumber(containerPort)) errors.invalid(path.child('containerPort'), containerPort, text)
    if (hostPort) for (const text of isPortNumber(hostPort)) errors.invalid(path.child('hostPort'), hostPort, text)
    if (!protocol) errors.required(path.child('protocol'))
    else if (!portProtocols.includes(protocol)) errors.notSupported(path.child('protocol'), protocol, portProtocols)
  })
}

function checkHostPorts(containers: Frozen<Container[]>, at: FieldPath, errors: FieldErrors): void {
  const used = new Set<string>()
  containers.forEach(({ ports }, i) =>
    ports?.forEach(({ protocol, hostIP = '', hostPort }, j) => {
      if (!hostPort) return
      const id = `${protocol}/${hostIP}/${hostPort}`
      if (used.has(id)) errors.duplicate(at.index(i).child('ports').index(j).child('hostPort'), id)
      used.add(id)
    }),
  )
}

function checkVolumeDevices(
  { volumeDevices, volumeMounts }: Frozen<Container | EphemeralContainer>,
  volumes: ReadonlyMap<string, Frozen<Volume>>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  const names = new Set<string>()
  const paths = new Set<string>()
  volumeDevices?.forEach(({ name = '', devicePath = '' }, i) => {
    const path = at.index(i)
    const volume = volumes.get(name)
    if (!name) errors.required(path.child('name'))
    if (names.has(name)) errors.invalid(path.child('name'), name, 'must be unique')
    if (!volume) errors.notFound(path.child('name'), name)
    else if (!volume.persistentVolumeClaim && !volume.ephemeral)
      errors.invalid(
        path.child('name'),
        name,
        'can only use volume source type of PersistentVolumeClaim or Ephemeral for block mode',
      )
    if (!devicePath) errors.required(path.child('devicePath'))
    if (paths.has(devicePath)) errors.invalid(path.child('devicePath'), devicePath, 'must be unique')
    if (hasBacksteps(devicePath))
      errors.invalid(path.child('devicePath'), devicePath, "can not contain backsteps ('..')")
    else paths.add(devicePath)
    if (volumeMounts?.some((mount) => mount.name === name))
      errors.invalid(path.child('name'), name, 'must not already exist in volumeMounts')
    if (volumeMounts?.some((mount) => mount.mountPath === devicePath))
      errors.invalid(path.child('devicePath'), devicePath, 'must not already exist as a path in volumeMounts')
    if (name) names.add(name)
  })
}

function checkResizePolicy(
  list: Frozen<ContainerResizePolicy[]>,
  podRestartPolicy: string | undefined,
  at: FieldPath,
  errors: FieldErrors,
): void {
  const seen = new Set<string>()
  list.forEach(({ resourceName, restartPolicy }, i) => {
    if (seen.has(resourceName)) errors.duplicate(at.index(i), resourceName)
    seen.add(resourceName)
    if (!resourceName) errors.required(at)
    else if (resourceName !== 'cpu' && resourceName !== 'memory')
      errors.notSupported(at, resourceName, ['cpu', 'memory'])
    if (!restartPolicy) errors.required(at)
    else if (restartPolicy !== 'NotRequired' && restartPolicy !== 'RestartContainer')
      errors.notSupported(at, restartPolicy, ['NotRequired', 'RestartContainer'])
    if (podRestartPolicy === 'Never' && restartPolicy !== 'NotRequired')
      errors.invalid(at, restartPolicy, "must be 'NotRequired' when `restartPolicy` is 'Never'")
  })
}

const restartPolicies = ['Always', 'Never', 'OnFailure']
const rulesMax = 20
const exitCodesMax = 255

/** When this container, other than the rest of the Pod, restarts. */
function checkRestartPolicy(
  { restartPolicy, restartPolicyRules: rules }: Frozen<Container>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (restartPolicy === undefined) {
    if (!rules?.length) return
    errors.required(at.child('restartPolicy'), 'must specify restartPolicy when restart rules are used')
  } else if (!restartPolicies.includes(restartPolicy))
    errors.notSupported(at.child('restartPolicy'), restartPolicy, restartPolicies)
  if (!rules) return
  if (rules.length > rulesMax) errors.tooLong(at.child('restartPolicyRules'), rulesMax)
  rules.forEach((rule, i) => checkRestartRule(rule, at.child('restartPolicyRules').index(i), errors))
}

function checkRestartRule(
  { action = '', exitCodes }: Frozen<ContainerRestartRule>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (action !== 'Restart') errors.notSupported(at.child('action'), action, ['Restart'])
  if (!exitCodes) return errors.required(at.child('exitCodes'), 'must be specified')
  const { operator = '', values } = exitCodes
  if (operator !== 'In' && operator !== 'NotIn')
    errors.notSupported(at.child('exitCodes', 'operator'), operator, ['In', 'NotIn'])
  if ((values?.length ?? 0) > exitCodesMax) errors.tooLong(at.child('exitCodes', 'values'), exitCodesMax)
}
