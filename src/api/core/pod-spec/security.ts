import type { AppArmorProfile, PodSpec, SeccompProfile, SecurityContext } from '../../generated/types/core-v1.ts'
import type { Frozen } from '../../resource.ts'
import type { FieldErrors, FieldPath } from '../../validation/field.ts'
import { isUserOrGroup } from '../../validation/names.ts'
import { checkDescendingPath } from './paths.ts'
import { hostSysctlError, type PodRules } from './rules.ts'
import { checkWindowsOptions } from './windows.ts'

const profileTypes = ['Localhost', 'RuntimeDefault', 'Unconfined']

/** The security context of a container. */
export function checkSecurityContext(
  context: Frozen<SecurityContext> | undefined,
  at: FieldPath,
  errors: FieldErrors,
  hostUsers: boolean,
): void {
  if (!context) return
  checkIds(context, at, errors)
  const { procMount, privileged, allowPrivilegeEscalation, capabilities } = context
  if (procMount !== undefined) {
    if (procMount !== 'Default' && procMount !== 'Unmasked')
      errors.notSupported(at.child('procMount'), procMount, ['Default', 'Unmasked'])
    if (hostUsers && procMount === 'Unmasked')
      errors.invalid(at.child('procMount'), procMount, '`hostUsers` must be false to use `Unmasked`')
  }
  checkSeccompProfile(context.seccompProfile, at.child('seccompProfile'), errors)
  if (allowPrivilegeEscalation === false) {
    if (privileged)
      errors.invalid(at, context, 'cannot set `allowPrivilegeEscalation` to false and `privileged` to true')
    for (const capability of capabilities?.add ?? []) {
      if (capability === 'CAP_SYS_ADMIN')
        errors.invalid(
          at,
          context,
          'cannot set `allowPrivilegeEscalation` to false and `capabilities.Add` CAP_SYS_ADMIN',
        )
    }
  }
  checkWindowsOptions(context.windowsOptions, at.child('windowsOptions'), errors)
  checkAppArmorProfile(context.appArmorProfile, at.child('appArmorProfile'), errors)
}

function checkIds(
  { runAsUser, runAsGroup }: { readonly runAsUser?: number; readonly runAsGroup?: number },
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (runAsUser !== undefined)
    for (const text of isUserOrGroup(runAsUser)) errors.invalid(at.child('runAsUser'), runAsUser, text)
  if (runAsGroup !== undefined)
    for (const text of isUserOrGroup(runAsGroup)) errors.invalid(at.child('runAsGroup'), runAsGroup, text)
}

/** The security context of a Pod. */
export function checkPodSecurityContext(
  spec: Frozen<PodSpec>,
  specAt: FieldPath,
  errors: FieldErrors,
  rules: PodRules,
): void {
  const { securityContext: context } = spec
  if (!context) return
  const at = specAt.child('securityContext')
  if (context.fsGroup !== undefined)
    for (const text of isUserOrGroup(context.fsGroup)) errors.invalid(at.child('fsGroup'), context.fsGroup, text)
  checkIds(context, at, errors)
  context.supplementalGroups?.forEach((group, i) => {
    for (const text of isUserOrGroup(group)) errors.invalid(at.child('supplementalGroups').index(i), group, text)
  })
  if (spec.shareProcessNamespace && spec.hostPID)
    errors.invalid(at.child('shareProcessNamespace'), true, 'ShareProcessNamespace and HostPID cannot both be enabled')
  checkSysctls(spec, at.child('sysctls'), errors, rules)
  const { fsGroupChangePolicy, supplementalGroupsPolicy, seLinuxChangePolicy } = context
  const choices: readonly (readonly [string, string | undefined, readonly string[]])[] = [
    ['fsGroupChangePolicy', fsGroupChangePolicy, ['Always', 'OnRootMismatch']],
    ['supplementalGroupsPolicy', supplementalGroupsPolicy, ['Merge', 'Strict']],
    ['seLinuxChangePolicy', seLinuxChangePolicy, ['MountOption', 'Recursive']],
  ]
  for (const [name, value, supported] of choices)
    if (value !== undefined && !supported.includes(value)) errors.notSupported(at.child(name), value, supported)
  checkSeccompProfile(context.seccompProfile, at.child('seccompProfile'), errors)
  checkWindowsOptions(context.windowsOptions, at.child('windowsOptions'), errors)
  checkAppArmorProfile(context.appArmorProfile, at.child('appArmorProfile'), errors)
}

const sysctlRegexp = /^([a-z0-9]([-_a-z0-9]*[a-z0-9])?[./])*[a-z0-9]([-_a-z0-9]*[a-z0-9])?$/

function checkSysctls(spec: Frozen<PodSpec>, at: FieldPath, errors: FieldErrors, rules: PodRules): void {
  const names = new Set<string>()
  spec.securityContext?.sysctls?.forEach(({ name = '' }, i) => {
    const path = at.index(i).child('name')
    if (!name) errors.required(path)
    else if (name.length > 253 || !sysctlRegexp.test(name))
      errors.invalid(
        path,
        name,
        `must have at most 253 characters and match regex ${sysctlRegexp.source.replaceAll('./', '\\./')}`,
      )
    else if (names.has(name)) errors.duplicate(path, name)
    names.add(name)
    const shared = rules.hostSysctls ? undefined : hostSysctlError(name, spec)
    if (shared) errors.invalid(path, name, shared)
  })
}

/** A seccomp profile. */
export function checkSeccompProfile(
  profile: Frozen<SeccompProfile> | undefined,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (!profile) return
  const { type, localhostProfile } = profile
  if (!type) errors.required(at.child('type'), 'type is required when seccompProfile is set')
  else if (!profileTypes.includes(type)) errors.notSupported(at.child('type'), type, profileTypes)
  if (type !== 'Localhost') {
    if (localhostProfile !== undefined)
      errors.invalid(at.child('localhostProfile'), profile, 'can only be set when seccomp type is Localhost')
  } else if (localhostProfile === undefined)
    errors.required(at.child('localhostProfile'), 'must be set when seccomp type is Localhost')
  else checkDescendingPath(localhostProfile, at.child('localhostProfile'), errors)
}

const appArmorProfileBytesMax = 4095

/** An AppArmor profile. */
export function checkAppArmorProfile(
  profile: Frozen<AppArmorProfile> | undefined,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (!profile) return
  const { type, localhostProfile } = profile
  const path = at.child('localhostProfile')
  if (type === 'Localhost') {
    if (localhostProfile === undefined) return errors.required(path, 'must be set when AppArmor type is Localhost')
    if (localhostProfile.trim() !== localhostProfile)
      errors.invalid(path, localhostProfile, 'must not be padded with whitespace')
    else if (localhostProfile === '') errors.required(path, 'must be set when AppArmor type is Localhost')
    if (localhostProfile.length > appArmorProfileBytesMax) errors.tooLong(path, appArmorProfileBytesMax)
  } else if (type === 'RuntimeDefault' || type === 'Unconfined') {
    if (localhostProfile !== undefined)
      errors.invalid(path, localhostProfile, 'can only be set when AppArmor type is Localhost')
  } else if (!type) errors.required(at.child('type'), 'type is required when appArmorProfile is set')
  else errors.notSupported(at.child('type'), type, profileTypes)
}
