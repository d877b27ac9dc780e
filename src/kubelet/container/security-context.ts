import { join } from 'node:path'
import type {
  AppArmorProfile,
  Container,
  Pod,
  SeccompProfile,
  SecurityContext,
} from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { Init } from '../../runtime/cri/codec.ts'
import type {
  LinuxContainerSecurityContext,
  NamespaceOption,
  SecurityProfile,
} from '../../runtime/cri/generated/cri.ts'
import { podText } from '../pod/containers.ts'

/** Whom the image runs as, when the spec does not say. */
export interface ImageUser {
  readonly uid: number | undefined
  readonly username: string
}

/** What a container may and may not, besides its spec. */
export interface SecurityOptions {
  readonly image: ImageUser
  /** The runtime's default profile instead of none. */
  readonly seccompDefault: boolean
  /** Where profiles of type Localhost lie. */
  readonly seccompFolder: string
  /** The container whose processes an ephemeral one joins. */
  readonly targetId?: string | undefined
  /** Groups that volumes ask for. */
  readonly volumeGroups: readonly number[]
}

const maskedPaths = [
  '/proc/asound',
  '/proc/acpi',
  '/proc/interrupts',
  '/proc/kcore',
  '/proc/keys',
  '/proc/latency_stats',
  '/proc/timer_list',
  '/proc/timer_stats',
  '/proc/sched_debug',
  '/proc/scsi',
  '/sys/firmware',
  '/sys/devices/virtual/powercap',
]
const readonlyPaths = ['/proc/bus', '/proc/fs', '/proc/irq', '/proc/sys', '/proc/sysrq-trigger']

/** The container's own context, completed by the pod's. */
export function effectiveContext(pod: Frozen<Pod>, container: Frozen<Container>): Frozen<SecurityContext> {
  const all = pod.spec?.securityContext
  const shared: Frozen<SecurityContext> = {
    ...(all?.runAsUser !== undefined && { runAsUser: all.runAsUser }),
    ...(all?.runAsGroup !== undefined && { runAsGroup: all.runAsGroup }),
    ...(all?.runAsNonRoot !== undefined && { runAsNonRoot: all.runAsNonRoot }),
    ...(all?.seLinuxOptions && { seLinuxOptions: all.seLinuxOptions }),
    ...(all?.seccompProfile && { seccompProfile: all.seccompProfile }),
    ...(all?.appArmorProfile && { appArmorProfile: all.appArmorProfile }),
  }
  return { ...shared, ...container.securityContext }
}

/** A container's security context in CRI's words. Throws when it must not run as root and would. */
export function containerSecurity(
  pod: Frozen<Pod>,
  container: Frozen<Container>,
  options: SecurityOptions,
): Init<LinuxContainerSecurityContext> {
  const context = effectiveContext(pod, container)
  refuseRoot(pod, container, context, options.image)
  const { runAsUser, runAsGroup, procMount } = context
  const unmasked = procMount === 'Unmasked'
  const uid = runAsUser ?? options.image.uid
  return {
    privileged: context.privileged ?? false,
    readonlyRootfs: context.readOnlyRootFilesystem ?? false,
    noNewPrivs: context.allowPrivilegeEscalation === false,
    ...(context.capabilities && {
      capabilities: {
        addCapabilities: context.capabilities.add ?? [],
        dropCapabilities: context.capabilities.drop ?? [],
      },
    }),
    ...(context.seLinuxOptions && { selinuxOptions: context.seLinuxOptions }),
    ...(uid !== undefined && { runAsUser: { value: uid } }),
    ...(runAsUser === undefined && options.image.username && { runAsUsername: options.image.username }),
    ...(runAsGroup !== undefined && { runAsGroup: { value: runAsGroup } }),
    ...podGroups(pod, options.volumeGroups),
    namespaceOptions: namespaces(pod, options.targetId),
    seccomp: seccomp(context.seccompProfile, options),
    ...appArmor(context.appArmorProfile ?? annotatedAppArmor(pod, container.name)),
    maskedPaths: unmasked ? [] : maskedPaths,
    readonlyPaths: unmasked ? [] : readonlyPaths,
  }
}

/** The groups that all containers of the pod have. */
export function podGroups(
  pod: Frozen<Pod>,
  volumeGroups: readonly number[],
): Pick<Init<LinuxContainerSecurityContext>, 'supplementalGroups' | 'supplementalGroupsPolicy'> {
  const context = pod.spec?.securityContext
  const supplementalGroups = [
    ...(context?.fsGroup !== undefined ? [context.fsGroup] : []),
    ...(context?.supplementalGroups ?? []),
    ...volumeGroups,
  ]
  return {
    supplementalGroups,
    ...(context?.supplementalGroupsPolicy === 'Strict' && { supplementalGroupsPolicy: 'Strict' as const }),
  }
}

/** Which namespaces the pod's containers share with each other or with the node. */
export function namespaces(pod: Frozen<Pod>, targetId?: string): Init<NamespaceOption> {
  const spec = pod.spec
  const pid = targetId ? 'TARGET' : spec?.hostPID ? 'NODE' : spec?.shareProcessNamespace ? 'POD' : 'CONTAINER'
  return {
    network: spec?.hostNetwork ? 'NODE' : 'POD',
    ipc: spec?.hostIPC ? 'NODE' : 'POD',
    pid,
    ...(targetId && { targetId }),
  }
}

const unconfined: Init<SecurityProfile> = { profileType: 'Unconfined' }
const runtimeDefault: Init<SecurityProfile> = { profileType: 'RuntimeDefault' }

function seccomp(profile: Frozen<SeccompProfile> | undefined, options: SecurityOptions): Init<SecurityProfile> {
  if (!profile) return options.seccompDefault ? runtimeDefault : unconfined
  if (profile.type === 'RuntimeDefault') return runtimeDefault
  if (profile.type !== 'Localhost') return unconfined
  if (!profile.localhostProfile) throw new Error('localhostProfile must be set if seccompProfile type is Localhost.')
  return { profileType: 'Localhost', localhostRef: join(options.seccompFolder, profile.localhostProfile) }
}

/** Both the new field and the old text: containerd 1.6 knows both, older runtimes only the text. */
function appArmor(
  profile: Frozen<AppArmorProfile> | undefined,
): Pick<Init<LinuxContainerSecurityContext>, 'apparmor' | 'apparmorProfile'> {
  switch (profile?.type) {
    case 'RuntimeDefault':
      return { apparmor: runtimeDefault, apparmorProfile: 'runtime/default' }
    case 'Unconfined':
      return { apparmor: unconfined, apparmorProfile: 'unconfined' }
    case 'Localhost':
      if (!profile.localhostProfile) throw new Error('missing localhost apparmor profile name')
      return {
        apparmor: { profileType: 'Localhost', localhostRef: profile.localhostProfile },
        apparmorProfile: `localhost/${profile.localhostProfile}`,
      }
    default:
      return {}
  }
}

/** The annotation that came before the field. */
function annotatedAppArmor(pod: Frozen<Pod>, name: string): Frozen<AppArmorProfile> | undefined {
  const text = pod.metadata.annotations?.[`container.apparmor.security.beta.kubernetes.io/${name}`]
  if (text === 'runtime/default') return { type: 'RuntimeDefault' }
  if (text === 'unconfined') return { type: 'Unconfined' }
  return text?.startsWith('localhost/')
    ? { type: 'Localhost', localhostProfile: text.slice('localhost/'.length) }
    : undefined
}

function refuseRoot(
  pod: Frozen<Pod>,
  container: Frozen<Container>,
  context: Frozen<SecurityContext>,
  image: ImageUser,
): void {
  if (!context.runAsNonRoot) return
  const where = `(pod: "${podText(pod)}", container: ${container.name})`
  if (context.runAsUser !== undefined) {
    if (context.runAsUser === 0) throw new Error(`container's runAsUser breaks non-root policy ${where}`)
  } else if (image.uid === undefined) {
    if (image.username)
      throw new Error(
        `container has runAsNonRoot and image has non-numeric user (${image.username}), cannot verify user is non-root ${where}`,
      )
  } else if (image.uid === 0) {
    throw new Error(`container has runAsNonRoot and image will run as root ${where}`)
  }
}
