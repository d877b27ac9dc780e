import { deprecatedNodeLabels } from '../core/deprecated-node-labels.ts'
import { checkOverhead } from '../core/pod-spec/resources.ts'
import { checkTolerations } from '../core/pod-spec/tolerations.ts'
import { runtimeClasses } from '../generated/resources.ts'
import type { RuntimeClass, Scheduling } from '../generated/types/node-v1.ts'
import { defineKind } from '../kind.ts'
import type { Frozen } from '../resource.ts'
import { checkImmutable, checkText } from '../validation/check.ts'
import { type FieldErrors, type FieldPath, field } from '../validation/field.ts'
import { checkLabels } from '../validation/labels.ts'
import { isLabel } from '../validation/names.ts'
import { runtimeClassRow } from './runtimeclass-row.ts'

/** What a RuntimeClass does. */
export const runtimeClassDefinition = defineKind(runtimeClasses, {
  row: runtimeClassRow,
  generation: false,
  createOnUpdate: true,
  unconditionalUpdate: false,
  metadata: { finalizers: 'any', onUpdate: 'both' },
  validate: checkRuntimeClass,
  validateUpdate(runtimeClass, old, errors) {
    checkRuntimeClass(runtimeClass, errors)
    checkImmutable(runtimeClass.handler, old.handler, field('handler'), errors)
  },
  warnings: ({ scheduling }) =>
    Object.keys(scheduling?.nodeSelector ?? {}).flatMap((key) => {
      const text = deprecatedNodeLabels.get(key)
      return text ? [`scheduling.nodeSelector: ${text}`] : []
    }),
})

function checkRuntimeClass({ handler = '', overhead, scheduling }: Frozen<RuntimeClass>, errors: FieldErrors): void {
  checkText(isLabel, handler, field('handler'), errors)
  if (overhead?.podFixed) checkOverhead(overhead.podFixed, field('overhead'), errors)
  if (scheduling) checkScheduling(scheduling, field('scheduling'), errors)
}

function checkScheduling({ nodeSelector, tolerations }: Frozen<Scheduling>, at: FieldPath, errors: FieldErrors): void {
  if (nodeSelector) checkLabels(nodeSelector, at.child('nodeSelector'), errors)
  checkTolerations(tolerations, at.child('tolerations'), errors)
  const seen = new Set<string>()
  tolerations?.forEach((toleration, i) => {
    const { key, operator, value, effect } = toleration
    const same = JSON.stringify([key, operator, value, effect])
    if (seen.has(same)) errors.duplicate(at.child('tolerations').index(i), toleration)
    seen.add(same)
  })
}
