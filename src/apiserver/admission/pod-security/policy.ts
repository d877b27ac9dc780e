import type { PodSpec } from '../../../api/generated/types/core-v1.ts'
import type { ObjectMeta } from '../../../api/generated/types/meta-v1.ts'
import type { Frozen } from '../../../api/resource.ts'
import { field, type FieldErrors } from '../../../api/validation/field.ts'
import { baselineChecks } from './baseline.ts'
import type { Check, Violation } from './check.ts'
import { restrictedChecks } from './restricted.ts'

const levels = ['privileged', 'baseline', 'restricted'] as const

/** How much pods may do. */
export type Level = (typeof levels)[number]

/** A level, and the version of it: its minor, or 'latest'. */
export interface LevelVersion {
  readonly level: Level
  readonly version: string
}

/** What a namespace wants of its pods. */
export interface Policy {
  readonly enforce: LevelVersion
  readonly audit: LevelVersion
  readonly warn: LevelVersion
}

const prefix = 'pod-security.kubernetes.io/'
const latestMinor = 35
const free: LevelVersion = { level: 'privileged', version: 'latest' }

/** Reads a namespace's labels. What is wrong with them is added to `errors`; then the strictest level counts for enforcement. */
export function policyOf(labels: Readonly<Record<string, string>> | undefined, errors?: FieldErrors): Policy {
  const enforce = levelVersion(labels, 'enforce', 'restricted', errors)
  const audit = levelVersion(labels, 'audit', 'privileged', errors)
  let warn = levelVersion(labels, 'warn', 'privileged', errors)
  const enforced = labels?.[`${prefix}enforce`]
  if (
    labels?.[`${prefix}warn`] === undefined &&
    enforced !== undefined &&
    isLevel(enforced) &&
    rank(enforce.level) > rank(warn.level)
  ) {
    warn = {
      level: enforce.level,
      version: labels?.[`${prefix}warn-version`] === undefined ? enforce.version : warn.version,
    }
  }
  return { enforce, audit, warn }
}

const isLevel = (text: string): text is Level => (levels as readonly string[]).includes(text)

/** How strict a level is. */
export const rank = (level: Level): number => levels.indexOf(level)

function levelVersion(
  labels: Readonly<Record<string, string>> | undefined,
  mode: string,
  whenWrong: Level,
  errors: FieldErrors | undefined,
): LevelVersion {
  const level = labels?.[prefix + mode]
  const version = labels?.[`${prefix}${mode}-version`]
  if (level === undefined && version === undefined) return free
  const at = field('metadata', 'labels')
  if (level !== undefined && !isLevel(level))
    errors?.invalid(at.key(prefix + mode), level, `must be one of ${levels.join(', ')}`)
  if (version !== undefined && version !== 'latest' && !/^v1\.(0|[1-9]\d*)$/.test(version))
    errors?.invalid(at.key(`${prefix}${mode}-version`), version, 'must be "latest" or "v1.x"')
  return {
    level: level === undefined ? 'privileged' : isLevel(level) ? level : whenWrong,
    version: version ?? 'latest',
  }
}

/** `baseline:latest` */
export const levelText = ({ level, version }: LevelVersion): string => `${level}:${version}`

/** What of a level a pod violates. */
export function violationsOf(
  { level, version }: LevelVersion,
  metadata: Frozen<ObjectMeta>,
  spec: Frozen<PodSpec>,
): Violation[] {
  if (level === 'privileged') return []
  const minor = Math.min(latestMinor, version === 'latest' ? latestMinor : Number(version.slice(3)))
  const containers = [
    ...(spec.initContainers ?? []),
    ...(spec.containers ?? []),
    ...((spec.ephemeralContainers ?? []) as Frozen<PodSpec>['containers']),
  ]
  const pod = { metadata, spec, containers, minor }
  return checksOf(level, minor).flatMap((check) => check.run(pod) ?? [])
}

function checksOf(level: Level, minor: number): Check[] {
  const since = (check: Check) => minor >= (check.since ?? 0)
  const restricted = level === 'restricted' ? restrictedChecks.filter(since) : []
  const replaced = new Set(restricted.map(({ insteadOf }) => insteadOf))
  return [...baselineChecks.filter((check) => since(check) && !replaced.has(check)), ...restricted]
}

/** All that is wrong, in one line. */
export const detailsOf = (violations: readonly Violation[]): string =>
  violations.map(({ reason, detail }) => `${reason}${detail && ` (${detail})`}`).join(', ')
