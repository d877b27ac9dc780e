import type { Node, Pod } from '../../api/generated/types/core-v1.ts'
import { isExtended } from '../../api/core/resource-names.ts'
import { untolerated } from '../../api/core/taints.ts'
import type { Frozen } from '../../api/resource.ts'
import { allowsNode } from '../../api/selector/node.ts'
import type { Pressures } from '../node/node-conditions.ts'
import { isCritical, isStaticPod } from '../pod/containers.ts'
import { amountsOf, podAmounts, qosClass } from '../pod/resources.ts'
import type { Shortfall } from './preempt.ts'

/** Why a node takes no pod: the reason of its status and event, and a sentence. */
export interface Rejection {
  readonly reason: string
  readonly message: string
  /** It would fit if other pods gave up so much. */
  readonly missing?: Shortfall
}

/** What a node is asked with. */
export interface AdmissionSources {
  /** The pods that are here already and not done. */
  readonly active: readonly Frozen<Pod>[]
  readonly allocatable: Readonly<Record<string, string>>
  readonly node: Frozen<Node> | undefined
  readonly allowedUnsafeSysctls: readonly string[]
  /** Short memory: no best-effort pods; short disk or PIDs: none but critical ones. */
  readonly pressures: Pressures
}

/** Whether the node can take the pod: the scheduler decided, but others came meanwhile, or nobody asked it. Undefined: it can. */
export function admit(pod: Frozen<Pod>, sources: AdmissionSources): Rejection | undefined {
  const refusal = refusedSysctl(pod, sources) ?? pressed(pod, sources)
  if (refusal) return refusal
  const unplaced = () => elsewhere(pod, sources) ?? taken(pod, sources) ?? tainted(pod, sources)
  // For a critical pod room can be made: what nobody can change comes first.
  return isCritical(pod) ? (unplaced() ?? unfit(pod, sources)) : (unfit(pod, sources) ?? unplaced())
}

const safeSysctls = new Set([
  'kernel.shm_rmid_forced',
  'net.ipv4.ip_local_port_range',
  'net.ipv4.tcp_syncookies',
  'net.ipv4.ping_group_range',
  'net.ipv4.ip_unprivileged_port_start',
  'net.ipv4.ip_local_reserved_ports',
  'net.ipv4.tcp_keepalive_time',
  'net.ipv4.tcp_fin_timeout',
  'net.ipv4.tcp_keepalive_intvl',
  'net.ipv4.tcp_keepalive_probes',
  'net.ipv4.tcp_rmem',
  'net.ipv4.tcp_wmem',
])

function refusedSysctl(pod: Frozen<Pod>, { allowedUnsafeSysctls }: AdmissionSources): Rejection | undefined {
  for (const { name } of pod.spec?.securityContext?.sysctls ?? []) {
    const dotted = name.replaceAll('/', '.')
    const allowed =
      safeSysctls.has(dotted) ||
      allowedUnsafeSysctls.some((pattern) =>
        pattern.endsWith('*') ? dotted.startsWith(pattern.slice(0, -1)) : dotted === pattern,
      )
    if (!allowed) return { reason: 'SysctlForbidden', message: `forbidden sysctl: "${dotted}" not allowlisted` }
    if (pod.spec?.hostNetwork && dotted.startsWith('net.'))
      return { reason: 'SysctlForbidden', message: `forbidden sysctl: "${dotted}" not allowed with host net enabled` }
    if (pod.spec?.hostIPC && (dotted.startsWith('kernel.') || dotted.startsWith('fs.mqueue.')))
      return { reason: 'SysctlForbidden', message: `forbidden sysctl: "${dotted}" not allowed with host ipc enabled` }
  }
  return undefined
}

function pressed(pod: Frozen<Pod>, { pressures: { memory, disk, pids } }: AdmissionSources): Rejection | undefined {
  const names = [memory && 'MemoryPressure', disk && 'DiskPressure', pids && 'PIDPressure'].filter(Boolean)
  if (names.length === 0 || isCritical(pod)) return undefined
  const tolerates = (pod.spec?.tolerations ?? []).some(
    ({ key, operator }) => (operator === 'Exists' && !key) || key === 'node.kubernetes.io/memory-pressure',
  )
  if (!disk && !pids && (qosClass(pod) !== 'BestEffort' || tolerates)) return undefined
  return { reason: 'Evicted', message: `The node had condition: [${names.join(' ')}]. ` }
}

function unfit(pod: Frozen<Pod>, { active, allocatable }: AdmissionSources): Rejection | undefined {
  const whole = amountsOf(allocatable)
  const missing = new Map<string, number>()
  let first: Rejection | undefined
  const compare = (name: string, wanted: number, used: number, capacity: number) => {
    if (used + wanted <= capacity) return
    missing.set(name, used + wanted - capacity)
    first ??= {
      reason: `OutOf${name}`,
      message: `Node didn't have enough resource: ${name}, requested: ${wanted}, used: ${used}, capacity: ${capacity}`,
      missing,
    }
  }
  compare('pods', 1, active.length, whole['pods'] ?? Infinity)
  for (const [name, wanted] of Object.entries(podAmounts(pod, 'requests'))) {
    if (wanted === 0) continue
    // The cluster may count resources that the node does not know of.
    if (whole[name] === undefined && isExtended(name)) continue
    const used = active.reduce((sum, other) => sum + (podAmounts(other, 'requests')[name] ?? 0), 0)
    compare(name, wanted, used, whole[name] ?? 0)
  }
  return first
}

function elsewhere(pod: Frozen<Pod>, { node }: AdmissionSources): Rejection | undefined {
  if (!node || allowsNode(pod.spec, node)) return undefined
  return {
    reason: 'NodeAffinity',
    message: "Predicate NodeAffinity failed: node(s) didn't match Pod's node affinity/selector",
  }
}

type Port = readonly [protocol: string, ip: string, port: number]

const hostPorts = (pod: Frozen<Pod>): Port[] =>
  [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])].flatMap(({ ports }) =>
    (ports ?? [])
      .filter(({ hostPort }) => hostPort)
      .map(({ protocol = 'TCP', hostIP = '', hostPort = 0 }): Port => [protocol, hostIP || '0.0.0.0', hostPort]),
  )

function taken(pod: Frozen<Pod>, { active }: AdmissionSources): Rejection | undefined {
  const wanted = hostPorts(pod)
  if (wanted.length === 0) return undefined
  const used = active.flatMap(hostPorts)
  const clash = wanted.some(([protocol, ip, port]) =>
    used.some(([p, i, n]) => p === protocol && n === port && (i === ip || i === '0.0.0.0' || ip === '0.0.0.0')),
  )
  return clash
    ? {
        reason: 'NodePorts',
        message: "Predicate NodePorts failed: node(s) didn't have free ports for the requested pod ports",
      }
    : undefined
}

/** Only taints that drive pods away count here; a static pod stays. */
function tainted(pod: Frozen<Pod>, { node }: AdmissionSources): Rejection | undefined {
  if (isStaticPod(pod) || !untolerated(node?.spec?.taints, pod.spec?.tolerations, ['NoExecute'])) return undefined
  return { reason: 'TaintToleration', message: 'Predicate TaintToleration failed: node(s) had untolerated taint(s)' }
}
