import type { TopologySpreadConstraint } from '../../generated/types/core-v1.ts'
import type { Frozen } from '../../resource.ts'
import type { FieldErrors, FieldPath } from '../../validation/field.ts'
import { checkLabelSelector } from '../../validation/labels.ts'
import { checkLegacyMatchLabelKeys, checkMatchLabelKeys } from './label-keys.ts'
import type { PodRules } from './rules.ts'

const actions = ['DoNotSchedule', 'ScheduleAnyway']
const nodePolicies = ['Honor', 'Ignore']

/** How evenly Pods must be spread. */
export function checkTopologySpread(
  constraints: Frozen<TopologySpreadConstraint[]> | undefined,
  at: FieldPath,
  errors: FieldErrors,
  rules: PodRules,
): void {
  constraints?.forEach((constraint, i) => {
    const path = at.index(i)
    checkConstraint(constraint, path, errors, rules)
    const { topologyKey, whenUnsatisfiable } = constraint
    if (
      constraints
        .slice(i + 1)
        .some((other) => other.topologyKey === topologyKey && other.whenUnsatisfiable === whenUnsatisfiable)
    ) {
      errors.duplicate(path.child('{topologyKey, whenUnsatisfiable}'), `{${topologyKey}, ${whenUnsatisfiable}}`)
    }
  })
}

function checkConstraint(
  constraint: Frozen<TopologySpreadConstraint>,
  at: FieldPath,
  errors: FieldErrors,
  rules: PodRules,
): void {
  const {
    maxSkew = 0,
    minDomains,
    topologyKey,
    whenUnsatisfiable = '',
    nodeAffinityPolicy,
    nodeTaintsPolicy,
    labelSelector,
  } = constraint
  if (maxSkew <= 0) errors.invalid(at.child('maxSkew'), maxSkew, 'must be greater than zero')
  if (!topologyKey) errors.required(at.child('topologyKey'), 'can not be empty')
  if (!actions.includes(whenUnsatisfiable))
    errors.notSupported(at.child('whenUnsatisfiable'), whenUnsatisfiable, actions)
  if (minDomains !== undefined) {
    if (minDomains <= 0) errors.invalid(at.child('minDomains'), minDomains, 'must be greater than zero')
    if (whenUnsatisfiable !== 'DoNotSchedule')
      errors.invalid(
        at.child('minDomains'),
        minDomains,
        `can only use minDomains if whenUnsatisfiable=DoNotSchedule, not ${whenUnsatisfiable}`,
      )
  }
  if (nodeAffinityPolicy !== undefined && !nodePolicies.includes(nodeAffinityPolicy))
    errors.notSupported(at.child('nodeAffinityPolicy'), nodeAffinityPolicy, nodePolicies)
  if (nodeTaintsPolicy !== undefined && !nodePolicies.includes(nodeTaintsPolicy))
    errors.notSupported(at.child('nodeTaintsPolicy'), nodeTaintsPolicy, nodePolicies)
  if (rules.legacySpreadKeys) checkLegacyMatchLabelKeys(constraint, at.child('matchLabelKeys'), errors)
  else checkMatchLabelKeys({ matchLabelKeys: constraint.matchLabelKeys, labelSelector }, at, errors)
  if (!rules.anySpreadSelector) checkLabelSelector(labelSelector, at.child('labelSelector'), errors)
}
