import { deprecatedNodeLabels } from '../core/deprecated-node-labels.ts'
import { csiStorageCapacities } from '../generated/resources.ts'
import type { CSIStorageCapacity } from '../generated/types/storage-v1.ts'
import { defineKind } from '../kind.ts'
import type { Frozen } from '../resource.ts'
import { checkImmutable, checkText } from '../validation/check.ts'
import { type FieldErrors, field } from '../validation/field.ts'
import { checkLabelSelector, hasInvalidValues } from '../validation/labels.ts'
import { isSubdomain, negativeText } from '../validation/names.ts'
import { isNegativeAmount } from '../validation/quantities.ts'

/** What a CSIStorageCapacity does. */
export const csiStorageCapacityDefinition = defineKind(csiStorageCapacities, {
  generation: false,
  unconditionalUpdate: false,
  metadata: { onUpdate: 'both' },
  validate: (capacity, errors) => checkCapacity(capacity, false, errors),
  validateUpdate(capacity, old, errors) {
    checkCapacity(capacity, hasInvalidValues(old.nodeTopology), errors)
    checkImmutable(capacity.nodeTopology, old.nodeTopology, field('nodeTopology'), errors)
    checkImmutable(capacity.storageClassName, old.storageClassName, field('storageClassName'), errors)
  },
  warnings({ nodeTopology }) {
    const at = field('nodeTopology')
    const expressions = (nodeTopology?.matchExpressions ?? []).flatMap(({ key }, i) => {
      const text = deprecatedNodeLabels.get(key)
      return text ? [`${at.child('matchExpressions').index(i).child('key')}: ${key} is ${text}`] : []
    })
    const labels = Object.keys(nodeTopology?.matchLabels ?? {}).flatMap((key) => {
      const text = deprecatedNodeLabels.get(key)
      return text ? [`${at.child('matchLabels', key)}: ${text}`] : []
    })
    return [...expressions, ...labels]
  },
})

function checkCapacity(
  { nodeTopology, storageClassName = '', capacity }: Frozen<CSIStorageCapacity>,
  anyValue: boolean,
  errors: FieldErrors,
): void {
  if (nodeTopology) checkLabelSelector(nodeTopology, field('nodeTopology'), errors, { anyValue })
  checkText(isSubdomain, storageClassName, field('storageClassName'), errors)
  if (capacity !== undefined && isNegativeAmount(capacity)) errors.invalid(field('capacity'), capacity, negativeText)
}
