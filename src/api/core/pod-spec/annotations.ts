import type { PodSpec, PodTemplateSpec, SeccompProfile } from '../../generated/types/core-v1.ts'
import type { Frozen } from '../../resource.ts'
import type { FieldErrors, FieldPath } from '../../validation/field.ts'
import { checkDescendingPath } from './paths.ts'
import { isDeletionCost, type PodRules } from './rules.ts'
import { checkTolerations } from './tolerations.ts'
import { eachContainer } from './windows.ts'

type Annotations = Readonly<Record<string, string>> | undefined

/** Annotations that bear on the rules of a Pod. */
export const mirrorAnnotation = 'kubernetes.io/config.mirror'
export const appArmorPrefix = 'container.apparmor.security.beta.kubernetes.io/'
const seccompPod = 'seccomp.security.alpha.kubernetes.io/pod'
const seccompPrefix = 'container.seccomp.security.alpha.kubernetes.io/'
const deletionCost = 'controller.kubernetes.io/pod-deletion-cost'
const tolerationsKey = 'scheduler.alpha.kubernetes.io/tolerations'

/** Annotations that mean something to a Pod, of one or in a template. */
export function checkPodAnnotations(
  { metadata, spec }: Frozen<PodTemplateSpec>,
  at: FieldPath,
  errors: FieldErrors,
  rules: PodRules,
): void {
  const annotations = metadata?.annotations
  if (!annotations) return
  for (const key in annotations) {
    const value = annotations[key] ?? ''
    if (key === mirrorAnnotation) {
      if (!spec?.nodeName) errors.invalid(at.key(key), value, 'must set spec.nodeName if mirror pod annotation is set')
    } else if (key === deletionCost) {
      if (!rules.anyDeletionCost && !isDeletionCost(value))
        errors.invalid(at.key(key), value, 'must be a 32bit integer')
    } else if (key === tolerationsKey) {
      if (value) checkAnnotatedTolerations(value, at, errors)
    } else if (key === seccompPod || key.startsWith(seccompPrefix)) checkSeccomp(value, at.child(key), errors)
    else if (key.startsWith(appArmorPrefix)) checkAppArmor(key, value, spec, { at, errors })
  }
}

function checkAnnotatedTolerations(value: string, at: FieldPath, errors: FieldErrors): void {
  let tolerations: unknown
  try {
    tolerations = JSON.parse(value)
  } catch (error) {
    return errors.invalid(at, tolerationsKey, String(error))
  }
  if (Array.isArray(tolerations)) checkTolerations(tolerations, at.child(tolerationsKey), errors)
}

function checkSeccomp(value: string, at: FieldPath, errors: FieldErrors): void {
  if (value === 'runtime/default' || value === 'docker/default' || value === 'unconfined') return
  if (value.startsWith('localhost/')) checkDescendingPath(value.slice('localhost/'.length), at, errors)
  else errors.invalid(at, value, 'must be a valid seccomp profile')
}

function checkAppArmor(
  key: string,
  value: string,
  spec: Frozen<PodSpec> | undefined,
  { at, errors }: { at: FieldPath; errors: FieldErrors },
): void {
  const container = key.slice(appArmorPrefix.length)
  const known = [spec?.initContainers, spec?.containers, spec?.ephemeralContainers].some((list) =>
    list?.some(({ name }) => name === container),
  )
  if (!known) errors.invalid(at.key(key), container, 'container not found')
  if (value && value !== 'runtime/default' && value !== 'unconfined' && !value.startsWith('localhost/'))
    errors.invalid(at.key(key), value, `invalid AppArmor profile name: ${JSON.stringify(value)}`)
}

/** Old annotations and the fields that took their place must say the same. */
export function checkAnnotationsMatchFields(
  annotations: Annotations,
  spec: Frozen<PodSpec>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (!annotations) return
  const ofPod = spec.securityContext
  if (ofPod?.seccompProfile && annotations[seccompPod] !== undefined)
    checkMatch(annotations[seccompPod], ofPod.seccompProfile, 'seccomp', {
      at: at.child('securityContext', 'seccompProfile'),
      errors,
    })
  eachContainer(spec, at, ({ name, securityContext }, path) => {
    const seccomp = annotations[`${seccompPrefix}${name}`]
    if (securityContext?.seccompProfile && seccomp !== undefined)
      checkMatch(seccomp, securityContext.seccompProfile, 'seccomp', {
        at: path.child('securityContext', 'seccompProfile'),
        errors,
      })
    if (spec.os?.name === 'windows') return
    const appArmor = annotations[`${appArmorPrefix}${name}`]
    const profile = securityContext?.appArmorProfile ?? ofPod?.appArmorProfile
    if (profile && appArmor !== undefined)
      checkMatch(appArmor, profile, 'apparmor', { at: path.child('securityContext', 'appArmorProfile'), errors })
  })
}

function checkMatch(
  annotation: string,
  { type, localhostProfile }: Frozen<SeccompProfile>,
  what: 'seccomp' | 'apparmor',
  { at, errors }: { at: FieldPath; errors: FieldErrors },
): void {
  const differs = () => errors.forbidden(at.child('type'), `${what} type in annotation and field must match`)
  if (type === 'Unconfined') {
    if (annotation !== 'unconfined') differs()
  } else if (type === 'RuntimeDefault') {
    if (annotation !== 'runtime/default' && !(what === 'seccomp' && annotation === 'docker/default')) differs()
  } else if (type === 'Localhost') {
    if (!annotation.startsWith('localhost/')) differs()
    else if (annotation.slice('localhost/'.length) !== localhostProfile)
      errors.forbidden(at.child('localhostProfile'), `${what} profile in annotation and field must match`)
  }
}

/** Annotations that stay as they were when the Pod was made. */
export function checkAnnotationUpdates(
  annotations: Annotations = {},
  old: Annotations = {},
  at: FieldPath,
  errors: FieldErrors,
): void {
  for (const key in old) {
    if (annotations[key] === old[key]) continue
    if (key.startsWith(appArmorPrefix)) errors.forbidden(at.key(key), 'may not remove or update AppArmor annotations')
    if (key === mirrorAnnotation) errors.forbidden(at.key(key), 'may not remove or update mirror pod annotation')
  }
  for (const key in annotations) {
    if (key in old) continue
    if (key.startsWith(appArmorPrefix)) errors.forbidden(at.key(key), 'may not add AppArmor annotations')
    if (key === mirrorAnnotation) errors.forbidden(at.key(key), 'may not add mirror pod annotation')
  }
}
