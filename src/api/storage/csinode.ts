import { checkDriverName } from '../core/pod-spec/volume-sources.ts'
import { csiNodes } from '../generated/resources.ts'
import type { CSINode, CSINodeDriver } from '../generated/types/storage-v1.ts'
import { defineKind } from '../kind.ts'
import type { Frozen } from '../resource.ts'
import { checkImmutable, checkText } from '../validation/check.ts'
import { type FieldErrors, type FieldPath, field } from '../validation/field.ts'
import { isQualifiedName } from '../validation/names.ts'
import { checkNotNegative } from '../validation/numbers.ts'
import { csiNodeRow } from './csinode-row.ts'

const nodeIdMax = 256

/** What a CSINode does. */
export const csiNodeDefinition = defineKind(csiNodes, {
  row: csiNodeRow,
  generation: false,
  unconditionalUpdate: false,
  metadata: { onUpdate: 'object' },
  validate: checkCsiNode,
  validateUpdate(node, old, errors) {
    // Upstream tells errors of the object twice.
    checkCsiNode(node, errors)
    checkCsiNode(node, errors)
    for (const before of old.spec?.drivers ?? []) {
      for (const driver of node.spec?.drivers ?? []) {
        if (driver.name === before.name)
          checkImmutable(
            { ...driver, allocatable: undefined },
            { ...before, allocatable: undefined },
            field('spec', 'drivers'),
            errors,
          )
      }
    }
  },
})

function checkCsiNode({ spec }: Frozen<CSINode>, errors: FieldErrors): void {
  const seen = new Set<string>()
  spec?.drivers?.forEach((driver, i) => checkDriver(driver, seen, field('spec', 'drivers').index(i), errors))
}

function checkDriver(
  { name, nodeID = '', allocatable, topologyKeys }: Frozen<CSINodeDriver>,
  seen: Set<string>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  checkDriverName(name, at.child('name'), errors)
  if (!nodeID) errors.required(at.child('nodeID'))
  if (nodeID.length > nodeIdMax) errors.invalid(at.child('nodeID'), nodeID, `must be ${nodeIdMax} characters or less`)
  checkNotNegative(allocatable, ['count'], at.child('allocatable'), errors)
  if (seen.has(name)) errors.duplicate(at.child('name'), name)
  seen.add(name)
  topologyKeys?.forEach((key, i) => {
    if (!key) errors.required(at)
    if (topologyKeys.indexOf(key) < i) errors.duplicate(at, key)
    checkText(isQualifiedName, key, at, errors)
  })
}
