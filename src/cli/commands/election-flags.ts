import { hostname } from 'node:os'
import type { Random } from '../../base/random.ts'
import type { LeaderElectionOptions } from '../../client/leader/leader-election.ts'
import { booleanOf, durationOf, type ComponentFlag } from './component-flags.ts'

/** The flags of a component that works only while it leads, named as upstream names them. */
export const electionFlags: readonly ComponentFlag[] = [
  ['--leader-elect [bool]', 'work only while leader'],
  ['--leader-elect-lease-duration <duration>', 'how long a silent leader stays leader'],
  ['--leader-elect-renew-deadline <duration>', 'how long a leader tries to renew before it gives up'],
  ['--leader-elect-retry-period <duration>', 'how often is tried'],
  ['--leader-elect-resource-name <name>', 'name of the Lease'],
  ['--leader-elect-resource-namespace <namespace>', 'its namespace'],
]

/** The fields of a configuration file that say the same (LeaderElectionConfiguration). */
export interface ElectionConfiguration {
  readonly leaderElect?: boolean
  readonly leaseDuration?: string
  readonly renewDeadline?: string
  readonly retryPeriod?: string
  readonly resourceName?: string
  readonly resourceNamespace?: string
}

/** How a component stands for election. */
export type Election = Pick<
  LeaderElectionOptions,
  'identity' | 'lease' | 'leaseDurationMs' | 'renewDeadlineMs' | 'retryPeriodMs'
>

/** What flags and file say, flags first; undefined: it works without asking. `name` is the Lease's when nobody names another. */
export function electionOf(
  given: Record<string, string>,
  name: string,
  { random, file = {} }: { readonly random: Random; readonly file?: ElectionConfiguration | undefined },
): Election | undefined {
  if (!(booleanOf(given['leaderElect'], 'leader-elect') ?? file.leaderElect ?? true)) return undefined
  const duration = (flag: string, field: keyof ElectionConfiguration, option: string) => {
    const text = given[`leaderElect${field.charAt(0).toUpperCase()}${field.slice(1)}`] ?? file[field]
    return typeof text === 'string' && text !== '' ? { [option]: durationOf(text, flag) } : {}
  }
  return {
    identity: `${hostname()}_${random.uuid()}`,
    lease: {
      namespace: given['leaderElectResourceNamespace'] ?? file.resourceNamespace ?? 'kube-system',
      name: given['leaderElectResourceName'] ?? file.resourceName ?? name,
    },
    ...duration('leader-elect-lease-duration', 'leaseDuration', 'leaseDurationMs'),
    ...duration('leader-elect-renew-deadline', 'renewDeadline', 'renewDeadlineMs'),
    ...duration('leader-elect-retry-period', 'retryPeriod', 'retryPeriodMs'),
  }
}
