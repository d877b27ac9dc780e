import type {
  Container,
  EphemeralContainer,
  PodSpec,
  WindowsSecurityContextOptions,
} from '../../generated/types/core-v1.ts'
import type { Frozen } from '../../resource.ts'
import type { FieldErrors, FieldPath } from '../../validation/field.ts'
import { isSubdomain } from '../../validation/names.ts'

const credentialSpecBytesMax = 64 * 1024
const netBios = /^[^\\/:*?"<>|.][^\\/:*?"<>|]{0,14}$/
const dnsName = /^[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?(?:\.[a-zA-Z0-9](?:[a-zA-Z0-9-]{0,61}[a-zA-Z0-9])?)*$/

/** Windows' own security options. */
export function checkWindowsOptions(
  options: Frozen<WindowsSecurityContextOptions> | undefined,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (!options) return
  const { gmsaCredentialSpecName: name, gmsaCredentialSpec: spec, runAsUserName: user } = options
  if (name !== undefined)
    for (const text of isSubdomain(name)) errors.invalid(at.child('gmsaCredentialSpecName'), name, text)
  if (spec === '') errors.invalid(at.child('gmsaCredentialSpec'), spec, 'gmsaCredentialSpec cannot be an empty string')
  else if (spec && Buffer.byteLength(spec) > credentialSpecBytesMax)
    errors.invalid(at.child('gmsaCredentialSpec'), spec, 'gmsaCredentialSpec size must be under 64 KiB')
  if (user !== undefined) for (const text of userNameErrors(user)) errors.invalid(at.child('runAsUserName'), user, text)
}

function userNameErrors(text: string): string[] {
  if (text === '') return ['runAsUserName cannot be an empty string']
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  if (/[\x00-\x1f\x7f]/.test(text)) return ['runAsUserName cannot contain control characters']
  const parts = text.split('\\')
  if (parts.length > 2) return ['runAsUserName cannot contain more than one backslash']
  const [domain, user = ''] = parts.length === 2 ? parts : [undefined, parts[0]]
  const errors: string[] = []
  if (domain !== undefined && domain.length >= 256)
    errors.push("runAsUserName's Domain length must be under 256 characters")
  if (domain !== undefined && !netBios.test(domain) && !dnsName.test(domain))
    errors.push("runAsUserName's Domain doesn't match the NetBios nor the DNS format")
  if (user === '') errors.push("runAsUserName's User cannot be empty")
  else if (user.length > 104) errors.push("runAsUserName's User length must not be longer than 104 characters")
  if (/^[. ]+$/.test(user)) errors.push("runAsUserName's User cannot contain only periods or spaces")
  if (/["/\\:;|=,+*?<>@[\]]/.test(user))
    errors.push('runAsUserName\'s User cannot contain the following characters: "/\\:;|=,+*?<>@[]')
  return errors
}

type AnyContainer = Frozen<Container> | Frozen<EphemeralContainer>

/** Calls back for each container with its path. */
export function eachContainer(
  spec: Frozen<PodSpec>,
  at: FieldPath,
  visit: (container: AnyContainer, at: FieldPath) => void,
): void {
  spec.initContainers?.forEach((container, i) => visit(container, at.child('initContainers').index(i)))
  spec.containers?.forEach((container, i) => visit(container, at.child('containers').index(i)))
  spec.ephemeralContainers?.forEach((container, i) => visit(container, at.child('ephemeralContainers').index(i)))
}

const usesWindows = (spec: Frozen<PodSpec>) =>
  !!spec.securityContext?.windowsOptions ||
  [spec.initContainers, spec.containers, spec.ephemeralContainers].some((list) =>
    list?.some(({ securityContext }) => securityContext?.windowsOptions),
  )

/** Host-process containers: all of a Pod or none, and on the host's network. */
export function checkHostProcess(spec: Frozen<PodSpec>, at: FieldPath, errors: FieldErrors): void {
  if (!usesWindows(spec)) return
  const ofPod = spec.securityContext?.windowsOptions?.hostProcess
  let all = 0
  let hostProcesses = 0
  eachContainer(spec, at, ({ securityContext }, path) => {
    all++
    const own = securityContext?.windowsOptions?.hostProcess
    if (ofPod !== undefined && own !== undefined && ofPod !== own) {
      errors.invalid(
        path.child('securityContext', 'windowsOptions', 'hostProcess'),
        own,
        `pod hostProcess value must be identical if both are specified, was ${ofPod}`,
      )
    }
    if (own ?? ofPod) hostProcesses++
  })
  if (!hostProcesses) return
  if (hostProcesses !== all)
    errors.invalid(
      at,
      '',
      'If pod contains any hostProcess containers then all containers must be HostProcess containers',
    )
  if (!spec.hostNetwork)
    errors.invalid(
      at.child('hostNetwork'),
      false,
      'hostNetwork must be true if pod contains any hostProcess containers',
    )
}

/** What the operating system of a Pod rules out. */
export function checkOs(spec: Frozen<PodSpec>, at: FieldPath, errors: FieldErrors): void {
  if (!spec.os) return
  const { name } = spec.os
  if (!name) errors.required(at.child('os', 'name'))
  else if (name === 'linux') checkLinux(spec, at, errors)
  else if (name === 'windows') checkWindows(spec, at, errors)
  else errors.notSupported(at.child('os'), name, ['linux', 'windows'])
}

function checkLinux(spec: Frozen<PodSpec>, at: FieldPath, errors: FieldErrors): void {
  const why = 'windows options cannot be set for a linux pod'
  if (spec.securityContext?.windowsOptions) errors.forbidden(at.child('securityContext', 'windowsOptions'), why)
  eachContainer(spec, at, ({ securityContext }, path) => {
    if (securityContext?.windowsOptions) errors.forbidden(path.child('securityContext', 'windowsOptions'), why)
  })
}

const podContextFields = [
  ...[
    'appArmorProfile',
    'seLinuxOptions',
    'seccompProfile',
    'fsGroup',
    'fsGroupChangePolicy',
    'runAsUser',
    'runAsGroup',
    'supplementalGroups',
    'supplementalGroupsPolicy',
    'seLinuxChangePolicy',
  ],
] as const
const containerContextFields = [
  'appArmorProfile',
  'seLinuxOptions',
  'seccompProfile',
  'capabilities',
  'readOnlyRootFilesystem',
  'privileged',
  'allowPrivilegeEscalation',
  'procMount',
  'runAsUser',
  'runAsGroup',
] as const

function checkWindows(spec: Frozen<PodSpec>, at: FieldPath, errors: FieldErrors): void {
  const why = 'cannot be set for a windows pod'
  for (const name of ['hostUsers', 'shareProcessNamespace'] as const)
    if (spec[name] !== undefined) errors.forbidden(at.child(name), why)
  for (const name of ['hostPID', 'hostIPC'] as const) if (spec[name]) errors.forbidden(at.child(name), why)
  const context: Readonly<Record<string, unknown>> = { ...spec.securityContext }
  for (const name of podContextFields)
    if (context[name] !== undefined) errors.forbidden(at.child('securityContext', name), why)
  if (spec.securityContext?.sysctls?.length) errors.forbidden(at.child('securityContext', 'sysctls'), why)
  eachContainer(spec, at, ({ securityContext }, path) => {
    const own: Readonly<Record<string, unknown>> = { ...securityContext }
    for (const name of containerContextFields)
      if (own[name] !== undefined) errors.forbidden(path.child('securityContext', name), why)
  })
}
