import type { SELinuxOptions } from '../../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../../api/resource.ts'
import { named, namesWhere, quoted, relaxed, sorted, type Check, type Checked, type Violation } from './check.ts'

const hostNamespaces: Check = {
  level: 'baseline',
  run({ spec }) {
    const used = (['hostNetwork', 'hostPID', 'hostIPC'] as const)
      .filter((name) => spec[name])
      .map((name) => `${name}=true`)
    return used.length > 0 ? { reason: 'host namespaces', detail: used.join(', ') } : undefined
  },
}

const hostPorts: Check = {
  level: 'baseline',
  run(pod) {
    const ports = sorted(
      pod.containers.flatMap(({ ports: own }) =>
        (own ?? []).flatMap(({ hostPort }) => (hostPort ? [String(hostPort)] : [])),
      ),
    )
    if (ports.length === 0) return undefined
    const names = namesWhere(pod, ({ ports: own }) => own?.some(({ hostPort }) => hostPort))
    return {
      reason: 'hostPort',
      detail: `${named(names)} ${names.length === 1 ? 'uses' : 'use'} ${ports.length === 1 ? 'hostPort' : 'hostPorts'} ${ports.join(', ')}`,
    }
  },
}

/** Volumes of the host's own files. */
export const hostPathVolumes: Check = {
  level: 'baseline',
  run({ spec }) {
    const volumes = (spec.volumes ?? []).filter(({ hostPath }) => hostPath).map(({ name }) => name)
    return volumes.length > 0
      ? { reason: 'hostPath volumes', detail: `${volumes.length === 1 ? 'volume' : 'volumes'} ${quoted(volumes)}` }
      : undefined
  },
}

const privileged: Check = {
  level: 'baseline',
  run(pod) {
    const names = namesWhere(pod, ({ securityContext }) => securityContext?.privileged)
    return names.length > 0
      ? { reason: 'privileged', detail: `${named(names)} must not set securityContext.privileged=true` }
      : undefined
  },
}

/** What containers have anyway. */
const usualCapabilities: ReadonlySet<string> = new Set([
  'AUDIT_WRITE',
  'CHOWN',
  'DAC_OVERRIDE',
  'FOWNER',
  'FSETID',
  'KILL',
  'MKNOD',
  'NET_BIND_SERVICE',
  'SETFCAP',
  'SETGID',
  'SETPCAP',
  'SETUID',
  'SYS_CHROOT',
])

/** Capabilities beyond the usual ones. */
export const capabilitiesBaseline: Check = {
  level: 'baseline',
  run(pod) {
    const bad = (added: readonly string[] | undefined) => (added ?? []).filter((name) => !usualCapabilities.has(name))
    const names = namesWhere(pod, ({ securityContext }) => bad(securityContext?.capabilities?.add).length > 0)
    if (names.length === 0) return undefined
    const added = sorted(pod.containers.flatMap(({ securityContext }) => bad(securityContext?.capabilities?.add)))
    return {
      reason: 'non-default capabilities',
      detail: `${named(names)} must not include ${quoted(added)} in securityContext.capabilities.add`,
    }
  },
}

const procMount: Check = {
  level: 'baseline',
  run(pod) {
    return relaxed(pod) ? undefined : procMountViolation(pod)
  },
}

/** The rule itself, which the restricted level has without exceptions. */
export function procMountViolation(pod: Checked): Violation | undefined {
  const names = namesWhere(
    pod,
    ({ securityContext }) => securityContext?.procMount !== undefined && securityContext.procMount !== 'Default',
  )
  if (names.length === 0) return undefined
  const types = sorted(
    pod.containers.flatMap(({ securityContext }) =>
      securityContext?.procMount && securityContext.procMount !== 'Default' ? [securityContext.procMount] : [],
    ),
  )
  return { reason: 'procMount', detail: `${named(names)} must not set securityContext.procMount to ${quoted(types)}` }
}

const seLinux: Check = {
  level: 'baseline',
  run(pod) {
    const allowed = new Set([
      '',
      'container_t',
      'container_init_t',
      'container_kvm_t',
      ...(pod.minor >= 31 ? ['container_engine_t'] : []),
    ])
    const options: Frozen<SELinuxOptions>[] = []
    const bad = (own: Frozen<SELinuxOptions> | undefined): boolean => {
      if (!own || (allowed.has(own.type ?? '') && !own.user && !own.role)) return false
      options.push(own)
      return true
    }
    const setters = settersOf(
      pod,
      bad(pod.spec.securityContext?.seLinuxOptions),
      namesWhere(pod, ({ securityContext }) => bad(securityContext?.seLinuxOptions)),
    )
    if (setters === undefined) return undefined
    const types = sorted(options.map(({ type }) => type ?? '').filter((type) => !allowed.has(type)))
    const data = [
      types.length > 0 && `${types.length === 1 ? 'type' : 'types'} ${quoted(types)}`,
      options.some(({ user }) => user) && 'user may not be set',
      options.some(({ role }) => role) && 'role may not be set',
    ]
    return {
      reason: 'seLinuxOptions',
      detail: `${setters} set forbidden securityContext.seLinuxOptions: ${data.filter(Boolean).join('; ')}`,
    }
  },
}

/** `pod and container "a"`; undefined when nobody sets it. */
export function settersOf(_pod: Checked, onPod: boolean, names: readonly string[]): string | undefined {
  const setters = [...(onPod ? ['pod'] : []), ...(names.length > 0 ? [named(names)] : [])]
  return setters.length > 0 ? setters.join(' and ') : undefined
}

/** Profiles that switch the filter of system calls off. */
export const seccompBaseline: Check = {
  level: 'baseline',
  run(pod) {
    if (pod.minor < 19) return undefined
    const bad = (type: string | undefined) => type === 'Unconfined'
    const setters = settersOf(
      pod,
      bad(pod.spec.securityContext?.seccompProfile?.type),
      namesWhere(pod, ({ securityContext }) => bad(securityContext?.seccompProfile?.type)),
    )
    return setters === undefined
      ? undefined
      : {
          reason: 'seccompProfile',
          detail: `${setters} must not set securityContext.seccompProfile.type to "Unconfined"`,
        }
  },
}

const safeSysctls: readonly (readonly [number, string])[] = [
  [0, 'kernel.shm_rmid_forced'],
  [0, 'net.ipv4.ip_local_port_range'],
  [0, 'net.ipv4.tcp_syncookies'],
  [0, 'net.ipv4.ping_group_range'],
  [0, 'net.ipv4.ip_unprivileged_port_start'],
  [27, 'net.ipv4.ip_local_reserved_ports'],
  [29, 'net.ipv4.tcp_keepalive_time'],
  [29, 'net.ipv4.tcp_fin_timeout'],
  [29, 'net.ipv4.tcp_keepalive_intvl'],
  [29, 'net.ipv4.tcp_keepalive_probes'],
  [32, 'net.ipv4.tcp_rmem'],
  [32, 'net.ipv4.tcp_wmem'],
]

const sysctls: Check = {
  level: 'baseline',
  run({ spec, minor }) {
    const bad = (spec.securityContext?.sysctls ?? [])
      .map(({ name }) => name)
      .filter((name) => !safeSysctls.some(([since, safe]) => safe === name && minor >= since))
    return bad.length > 0 ? { reason: 'forbidden sysctls', detail: bad.join(', ') } : undefined
  },
}

const appArmorPrefix = 'container.apparmor.security.beta.kubernetes.io/'

const appArmor: Check = {
  level: 'baseline',
  run(pod) {
    const badProfile = (type: string | undefined) =>
      type !== undefined && type !== 'RuntimeDefault' && type !== 'Localhost'
    const setters: string[] = []
    const values: string[] = []
    const onPod = pod.spec.securityContext?.appArmorProfile?.type
    if (badProfile(onPod)) {
      setters.push('pod')
      values.push(onPod!)
    }
    const names = namesWhere(pod, ({ securityContext }) => badProfile(securityContext?.appArmorProfile?.type))
    if (names.length > 0) setters.push(named(names))
    for (const { securityContext } of pod.containers)
      if (badProfile(securityContext?.appArmorProfile?.type)) values.push(securityContext!.appArmorProfile!.type)
    const annotations = Object.entries(pod.metadata.annotations ?? {}).filter(
      ([key, value]) =>
        key.startsWith(appArmorPrefix) &&
        value !== '' &&
        value !== 'runtime/default' &&
        !value.startsWith('localhost/'),
    )
    if (annotations.length > 0) {
      setters.push(
        `${annotations.length === 1 ? 'annotation' : 'annotations'} ${quoted(annotations.map(([key]) => key).sort())}`,
      )
      values.push(...annotations.map(([, value]) => value))
    }
    if (setters.length === 0) return undefined
    return {
      reason: values.length === 1 ? 'forbidden AppArmor profile' : 'forbidden AppArmor profiles',
      detail: `${setters.join(' and ')} must not set AppArmor profile type to ${quoted(sorted(values))}`,
    }
  },
}

const windowsHostProcess: Check = {
  level: 'baseline',
  run(pod) {
    const onPod = pod.spec.securityContext?.windowsOptions?.hostProcess === true
    const names = namesWhere(pod, ({ securityContext }) => securityContext?.windowsOptions?.hostProcess)
    const setters = settersOf(pod, onPod, names)
    return setters === undefined
      ? undefined
      : { reason: 'hostProcess', detail: `${setters} must not set securityContext.windowsOptions.hostProcess=true` }
  },
}

const hostProbes: Check = {
  level: 'baseline',
  since: 34,
  run(pod) {
    const hosts: string[] = []
    const names = namesWhere(pod, ({ livenessProbe, readinessProbe, startupProbe, lifecycle }) => {
      const own = [livenessProbe, readinessProbe, startupProbe, lifecycle?.postStart, lifecycle?.preStop].flatMap(
        (handler) =>
          [handler?.httpGet?.host, handler?.tcpSocket?.host].filter((host) => host !== undefined && host !== ''),
      )
      hosts.push(...(own as string[]))
      return own.length > 0
    })
    if (names.length === 0) return undefined
    const unique = sorted(hosts)
    return {
      reason: 'probe or lifecycle host',
      detail: `${named(sorted(names))} ${names.length === 1 ? 'uses' : 'use'} ${unique.length === 1 ? 'probe or lifecycle host' : 'probe or lifecycle hosts'} ${quoted(unique)}`,
    }
  },
}

/** What no pod does that is not trusted with its node. */
export const baselineChecks: readonly Check[] = [
  appArmor,
  capabilitiesBaseline,
  hostNamespaces,
  hostPathVolumes,
  hostPorts,
  hostProbes,
  privileged,
  procMount,
  seLinux,
  seccompBaseline,
  sysctls,
  windowsHostProcess,
]
