import type { Container } from '../generated/types/core-v1.ts'
import type { LabelSelector } from '../generated/types/meta-v1.ts'
import type { Frozen, KubernetesObject } from '../resource.ts'
import { selectorText } from '../selector/label-selector.ts'
import { humanDuration } from './duration.ts'

/** What a table cell can hold. */
export type Cell = string | number | boolean | null

/** How long ago a time was. */
export const since = (time: string | null | undefined, nowMs: number): string =>
  time ? humanDuration(nowMs - Date.parse(time)) : '<unknown>'

/** An object's age. */
export const age = (object: Frozen<KubernetesObject>, nowMs: number): string =>
  since(object.metadata?.creationTimestamp, nowMs)

/** An object's name. */
export const name = (object: Frozen<KubernetesObject>): string => object.metadata?.name ?? ''

/** The names and the images of containers. */
export function containerCells(containers: readonly Frozen<Container>[] | null | undefined): [string, string] {
  return [
    (containers ?? []).map((container) => container.name).join(','),
    (containers ?? []).map(({ image }) => image ?? '').join(','),
  ]
}

/** `app=web,tier=front`, in the order of these texts; `<none>` without labels. */
export function labelCell(labels: Readonly<Record<string, string>> | null | undefined): string {
  const texts = Object.entries(labels ?? {}).map(([label, value]) => `${label}=${value}`)
  return texts.length > 0 ? texts.sort().join(',') : '<none>'
}

/** A label selector as text; `<none>` when it selects everything or nothing. */
export const selectorCell = (selector: Frozen<LabelSelector> | null | undefined): string =>
  selectorText(selector) || '<none>'

/** The first items of a longer list: `a,b,c + 2 more...`. */
export function fewOf(items: readonly string[], max = 3): string {
  const shown = items.slice(0, max).join(',')
  return items.length > max ? `${shown} + ${items.length - max} more...` : shown
}

/** Who is bound by a role binding: users, groups, service accounts. */
export function subjectCells(
  subjects:
    | readonly { readonly kind: string; readonly name: string; readonly namespace?: string | undefined }[]
    | null
    | undefined,
): [string, string, string] {
  const of = (kind: string) => (subjects ?? []).filter((subject) => subject.kind === kind)
  const names = (kind: string) => of(kind).map((subject) => subject.name)
  const accounts = of('ServiceAccount').map((subject) => `${subject.namespace ?? ''}/${subject.name}`)
  return [names('User').join(', '), names('Group').join(', '), accounts.join(', ')]
}

const accessModes = [
  ['ReadWriteOnce', 'RWO'],
  ['ReadOnlyMany', 'ROX'],
  ['ReadWriteMany', 'RWX'],
  ['ReadWriteOncePod', 'RWOP'],
] as const

/** Access modes of volumes in short: `RWO,ROX`. */
export const accessModesCell = (modes: readonly string[] | null | undefined): string =>
  accessModes
    .filter(([mode]) => modes?.includes(mode))
    .map(([, short]) => short)
    .join(',')

/** The addresses that a load balancer has. */
export const loadBalancerCell = (
  ingress: readonly { readonly ip?: string | undefined; readonly hostname?: string | undefined }[] | null | undefined,
): string =>
  [...new Set((ingress ?? []).map(({ ip, hostname }) => ip || hostname || '').filter((address) => address !== ''))]
    .sort()
    .join(',')
