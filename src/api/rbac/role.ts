import { roles } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { pathSegmentErrors } from '../validation/names.ts'
import { checkPolicyRules } from './rules.ts'

/** What a Role does. */
export const roleDefinition = defineKind(roles, {
  generation: false,
  createOnUpdate: true,
  nameErrors: pathSegmentErrors,
  metadata: { onUpdate: 'both' },
  validate: ({ rules }, errors) => checkPolicyRules(rules, true, errors),
  validateUpdate: ({ rules }, _old, errors) => checkPolicyRules(rules, true, errors),
})
