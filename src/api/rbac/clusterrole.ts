import { clusterRoles } from '../generated/resources.ts'
import type { ClusterRole } from '../generated/types/rbac-v1.ts'
import { defineKind } from '../kind.ts'
import type { Frozen } from '../resource.ts'
import { FieldErrors, field } from '../validation/field.ts'
import { checkLabelSelector, hasInvalidValues } from '../validation/labels.ts'
import { pathSegmentErrors } from '../validation/names.ts'
import { checkPolicyRules } from './rules.ts'

/** What a ClusterRole does. */
export const clusterRoleDefinition = defineKind(clusterRoles, {
  generation: false,
  createOnUpdate: true,
  nameErrors: pathSegmentErrors,
  metadata: { onUpdate: 'both' },
  validate: (role, errors) => checkClusterRole(role, false, errors),
  validateUpdate: (role, old, errors) =>
    checkClusterRole(role, !!old.aggregationRule?.clusterRoleSelectors?.some(hasInvalidValues), errors),
})

function checkClusterRole(
  { rules, aggregationRule }: Frozen<ClusterRole>,
  anyValue: boolean,
  errors: FieldErrors,
): void {
  checkPolicyRules(rules, false, errors)
  if (!aggregationRule) return
  const at = field('aggregationRule', 'clusterRoleSelectors')
  const selectors = aggregationRule.clusterRoleSelectors ?? []
  if (selectors.length === 0)
    errors.required(at, 'at least one clusterRoleSelector required if aggregationRule is non-nil')
  selectors.forEach((selector, i) => {
    checkLabelSelector(selector, at.index(i), errors, { anyValue })
    const found = new FieldErrors()
    checkLabelSelector(selector, at.index(i), found)
    if (!found.empty) errors.invalid(at.index(i), null, 'invalid label selector.')
  })
}
