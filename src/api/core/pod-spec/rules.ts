import type { Container, PodSpec, TopologySpreadConstraint } from '../../generated/types/core-v1.ts'
import type { Frozen } from '../../resource.ts'
import { field, FieldErrors } from '../../validation/field.ts'
import { checkLabelSelector, hasInvalidValues } from '../../validation/labels.ts'
import { isLabelValue } from '../../validation/names.ts'
import { isHugePages, isWholePages } from '../resource-names.ts'
import { checkMatchLabelKeys } from './label-keys.ts'
import { checkLocalPath } from './paths.ts'

/** What validation of a pod spec depends on besides the spec: where it stands, and which old sins an object that has them may keep. */
export interface PodRules {
  /** The spec of a Pod; otherwise a template's. */
  readonly isPod: boolean
  /** The Pod's name, for names of claims made from it. Absent for templates. */
  readonly podName?: string | undefined
  /** A mirror of a static Pod. */
  readonly mirror?: boolean
  readonly anyDeletionCost?: boolean
  readonly anySelectorValue?: boolean
  readonly anyRequiredNodeAffinityValue?: boolean
  readonly partialHugePages?: boolean
  readonly anySpreadSelector?: boolean
  readonly legacySpreadKeys?: boolean
  readonly anyTokenPath?: boolean
  readonly hostSysctls?: boolean
  readonly userNamespaceDevices?: boolean
}

/** Rules for a changed spec: what the old one has stays allowed. */
export function rulesOfUpdate(
  base: PodRules,
  old: Frozen<PodSpec> | undefined,
  oldAnnotations: Readonly<Record<string, string>> | undefined,
): PodRules {
  if (!old) return base
  return {
    ...base,
    anyDeletionCost: !isDeletionCost(oldAnnotations?.['controller.kubernetes.io/pod-deletion-cost']),
    anySelectorValue: hasInvalidAffinityValue(old),
    anyRequiredNodeAffinityValue:
      !!old.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms?.some((term) =>
        term.matchExpressions?.some(({ values }) => values?.some((value) => isLabelValue(value).length > 0)),
      ),
    partialHugePages: usesPartialHugePages(old),
    anySpreadSelector: !!old.topologySpreadConstraints?.some(({ labelSelector }) =>
      broken((errors) => checkLabelSelector(labelSelector, root, errors)),
    ),
    legacySpreadKeys: !!old.topologySpreadConstraints?.some((constraint) => violatesKeys(constraint)),
    anyTokenPath: !!old.volumes?.some(({ projected }) =>
      projected?.sources?.some(
        ({ serviceAccountToken: token }) => token && broken((errors) => checkLocalPath(token.path ?? '', root, errors)),
      ),
    ),
    hostSysctls: !!old.securityContext?.sysctls?.some(({ name }) => hostSysctlError(name, old) !== undefined),
    userNamespaceDevices:
      old.hostUsers === false && allContainers(old).some(({ volumeDevices }) => !!volumeDevices?.length),
  }
}

const root = field()

function broken(check: (errors: FieldErrors) => void): boolean {
  const errors = new FieldErrors()
  check(errors)
  return !errors.empty
}

const violatesKeys = ({ matchLabelKeys, labelSelector }: Frozen<TopologySpreadConstraint>) =>
  broken((errors) => checkMatchLabelKeys({ matchLabelKeys, labelSelector }, root, errors))

/** Containers of every kind. */
export const allContainers = (spec: Frozen<PodSpec>): readonly Frozen<Container>[] => [
  ...(spec.initContainers ?? []),
  ...(spec.containers ?? []),
  ...(spec.ephemeralContainers ?? []),
]

function hasInvalidAffinityValue({ affinity }: Frozen<PodSpec>): boolean {
  const all = [affinity?.podAffinity, affinity?.podAntiAffinity].flatMap((part) => [
    ...(part?.requiredDuringSchedulingIgnoredDuringExecution ?? []),
    ...(part?.preferredDuringSchedulingIgnoredDuringExecution ?? []).map((weighted) => weighted.podAffinityTerm),
  ])
  return all.some((term) => hasInvalidValues(term?.labelSelector) || hasInvalidValues(term?.namespaceSelector))
}

const usesPartialHugePages = (spec: Frozen<PodSpec>) =>
  [...(spec.initContainers ?? []), ...(spec.containers ?? [])].some(({ resources }) =>
    [resources?.limits, resources?.requests].some((amounts) =>
      Object.entries(amounts ?? {}).some(([name, amount]) => isHugePages(name) && !isWholePages(name, amount)),
    ),
  )

/** A 32-bit integer, as text. */
export const isDeletionCost = (text: string | undefined): boolean =>
  text === undefined ||
  (/^(0|-?[1-9][0-9]*)$/.test(text) && Math.abs(Number(text)) <= 2 ** 31 && Number(text) < 2 ** 31)

/** Why a Pod on the host's namespaces may not set a sysctl. */
export function hostSysctlError(name: string, spec: Frozen<PodSpec>): string | undefined {
  const dotted = name.replaceAll('/', '.')
  if (spec.hostNetwork && dotted.startsWith('net.')) return "may not be specified when 'hostNetwork' is true"
  if (spec.hostIPC && (dotted === 'kernel.sem' || /^(fs\.mqueue\.|kernel\.shm|kernel\.msg)/.test(dotted)))
    return "may not be specified when 'hostIPC' is true"
  return undefined
}
