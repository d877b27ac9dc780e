import { capabilitiesBaseline, hostPathVolumes, procMountViolation, seccompBaseline, settersOf } from './baseline.ts'
import { named, namesWhere, quoted, relaxed, sorted, type Check } from './check.ts'

const isWindows = ({ spec, minor }: Parameters<Check['run']>[0]): boolean => minor >= 25 && spec.os?.name === 'windows'

const allowPrivilegeEscalation: Check = {
  level: 'restricted',
  since: 8,
  run(pod) {
    if (isWindows(pod)) return undefined
    const names = namesWhere(pod, ({ securityContext }) => securityContext?.allowPrivilegeEscalation !== false)
    return names.length > 0
      ? {
          reason: 'allowPrivilegeEscalation != false',
          detail: `${named(names)} must set securityContext.allowPrivilegeEscalation=false`,
        }
      : undefined
  },
}

const capabilities: Check = {
  level: 'restricted',
  since: 22,
  insteadOf: capabilitiesBaseline,
  run(pod) {
    if (isWindows(pod)) return undefined
    const keeping = namesWhere(pod, ({ securityContext }) => !securityContext?.capabilities?.drop?.includes('ALL'))
    const bad = (added: readonly string[] | undefined) => (added ?? []).filter((name) => name !== 'NET_BIND_SERVICE')
    const adding = namesWhere(pod, ({ securityContext }) => bad(securityContext?.capabilities?.add).length > 0)
    const added = sorted(pod.containers.flatMap(({ securityContext }) => bad(securityContext?.capabilities?.add)))
    const details = [
      keeping.length > 0 && `${named(keeping)} must set securityContext.capabilities.drop=["ALL"]`,
      adding.length > 0 && `${named(adding)} must not include ${quoted(added)} in securityContext.capabilities.add`,
    ].filter(Boolean)
    return details.length > 0 ? { reason: 'unrestricted capabilities', detail: details.join('; ') } : undefined
  },
}

const volumeTypes: ReadonlySet<string> = new Set([
  'configMap',
  'csi',
  'downwardAPI',
  'emptyDir',
  'ephemeral',
  'image',
  'persistentVolumeClaim',
  'projected',
  'secret',
])

const volumes: Check = {
  level: 'restricted',
  insteadOf: hostPathVolumes,
  run({ spec }) {
    const bad = (spec.volumes ?? []).flatMap((volume) => {
      const type = Object.keys(volume).find((key) => key !== 'name')
      return type !== undefined && volumeTypes.has(type) ? [] : [{ name: volume.name, type: type ?? 'unknown' }]
    })
    if (bad.length === 0) return undefined
    const types = sorted(bad.map(({ type }) => type))
    return {
      reason: 'restricted volume types',
      detail: `${bad.length === 1 ? 'volume' : 'volumes'} ${quoted(bad.map(({ name }) => name))} ${bad.length === 1 ? 'uses' : 'use'} ${types.length === 1 ? 'restricted volume type' : 'restricted volume types'} ${quoted(types)}`,
    }
  },
}

const runAsNonRoot: Check = {
  level: 'restricted',
  run(pod) {
    if (relaxed(pod)) return undefined
    const onPod = pod.spec.securityContext?.runAsNonRoot
    const setters = settersOf(
      pod,
      onPod === false,
      namesWhere(pod, ({ securityContext }) => securityContext?.runAsNonRoot === false),
    )
    if (setters !== undefined)
      return { reason: 'runAsNonRoot != true', detail: `${setters} must not set securityContext.runAsNonRoot=false` }
    const silent = onPod ? [] : namesWhere(pod, ({ securityContext }) => securityContext?.runAsNonRoot === undefined)
    return silent.length > 0
      ? { reason: 'runAsNonRoot != true', detail: `pod or ${named(silent)} must set securityContext.runAsNonRoot=true` }
      : undefined
  },
}

const runAsUser: Check = {
  level: 'restricted',
  since: 23,
  run(pod) {
    if (relaxed(pod)) return undefined
    const setters = settersOf(
      pod,
      pod.spec.securityContext?.runAsUser === 0,
      namesWhere(pod, ({ securityContext }) => securityContext?.runAsUser === 0),
    )
    return setters === undefined ? undefined : { reason: 'runAsUser=0', detail: `${setters} must not set runAsUser=0` }
  },
}

const seccomp: Check = {
  level: 'restricted',
  since: 19,
  insteadOf: seccompBaseline,
  run(pod) {
    if (isWindows(pod)) return undefined
    const good = (type: string | undefined) => type === 'RuntimeDefault' || type === 'Localhost'
    const onPod = pod.spec.securityContext?.seccompProfile?.type
    const values: string[] = []
    const bad = (type: string | undefined) => {
      if (type === undefined || good(type)) return false
      values.push(type)
      return true
    }
    const setters = settersOf(
      pod,
      bad(onPod),
      namesWhere(pod, ({ securityContext }) => bad(securityContext?.seccompProfile?.type)),
    )
    if (setters !== undefined)
      return {
        reason: 'seccompProfile',
        detail: `${setters} must not set securityContext.seccompProfile.type to ${quoted(sorted(values))}`,
      }
    const silent = good(onPod)
      ? []
      : namesWhere(pod, ({ securityContext }) => securityContext?.seccompProfile === undefined)
    return silent.length > 0
      ? {
          reason: 'seccompProfile',
          detail: `pod or ${named(silent)} must set securityContext.seccompProfile.type to "RuntimeDefault" or "Localhost"`,
        }
      : undefined
  },
}

const procMount: Check = {
  level: 'restricted',
  since: 35,
  run: (pod) => (relaxed(pod) ? procMountViolation(pod) : undefined),
}

/** What only pods do not do that are hardened as is usual today. */
export const restrictedChecks: readonly Check[] = [
  allowPrivilegeEscalation,
  capabilities,
  procMount,
  volumes,
  runAsNonRoot,
  runAsUser,
  seccomp,
]
