import { deprecatedNodeLabels } from '../core/deprecated-node-labels.ts'
import { storageClasses } from '../generated/resources.ts'
import type { TopologySelectorTerm } from '../generated/types/core-v1.ts'
import type { StorageClass } from '../generated/types/storage-v1.ts'
import { defineKind } from '../kind.ts'
import type { Frozen } from '../resource.ts'
import { checkImmutable } from '../validation/check.ts'
import { equal } from '../validation/equal.ts'
import { type FieldErrors, type FieldPath, field } from '../validation/field.ts'
import { checkLabelName } from '../validation/labels.ts'
import { checkParameters, checkProvisioner } from './parameters.ts'
import { storageClassRow } from './storageclass-row.ts'

const reclaimPolicies = ['Delete', 'Retain']
const bindingModes = ['Immediate', 'WaitForFirstConsumer']
const fixed = ['parameters', 'provisioner', 'reclaimPolicy'] as const

/** What a StorageClass does. */
export const storageClassDefinition = defineKind(storageClasses, {
  row: storageClassRow,
  generation: false,
  metadata: { onUpdate: 'both' },
  defaults(storageClass) {
    storageClass.reclaimPolicy ??= 'Delete'
    storageClass.volumeBindingMode ??= 'Immediate'
  },
  validate: checkStorageClass,
  validateUpdate(storageClass, old, errors) {
    checkStorageClass(storageClass, errors)
    for (const name of fixed)
      if (!equal(storageClass[name], old[name])) errors.forbidden(field(name), `updates to ${name} are forbidden.`)
    checkImmutable(storageClass.volumeBindingMode, old.volumeBindingMode, field('volumeBindingMode'), errors)
  },
  warnings: ({ allowedTopologies }) =>
    (allowedTopologies ?? []).flatMap(({ matchLabelExpressions }, i) =>
      (matchLabelExpressions ?? []).flatMap(({ key }, j) => {
        const text = deprecatedNodeLabels.get(key)
        return text
          ? [`${field('allowedTopologies').index(i).child('matchLabelExpressions').index(j).child('key')}: ${text}`]
          : []
      }),
    ),
})

function checkStorageClass(
  { provisioner, parameters, reclaimPolicy, volumeBindingMode, allowedTopologies }: Frozen<StorageClass>,
  errors: FieldErrors,
): void {
  checkProvisioner(provisioner, field('provisioner'), errors)
  checkParameters(parameters, field('parameters'), errors)
  if (reclaimPolicy && !reclaimPolicies.includes(reclaimPolicy))
    errors.notSupported(field('reclaimPolicy'), reclaimPolicy, reclaimPolicies)
  if (volumeBindingMode === undefined) errors.required(field('volumeBindingMode'))
  else if (!bindingModes.includes(volumeBindingMode))
    errors.notSupported(field('volumeBindingMode'), volumeBindingMode, bindingModes)
  if (allowedTopologies) checkTopologies(allowedTopologies, field('allowedTopologies'), errors)
}

function checkTopologies(terms: readonly Frozen<TopologySelectorTerm>[], at: FieldPath, errors: FieldErrors): void {
  // Upstream starts with as many empty terms as there are real ones, so that an empty one is told that often.
  const seen = terms.map(() => '[]')
  terms.forEach((term, i) => {
    checkTopology(term, at.index(i).child('matchLabelExpressions'), errors)
    const meaning = JSON.stringify(
      (term.matchLabelExpressions ?? []).map(({ key, values }) => [key, [...new Set(values)].sort()]).sort(),
    )
    for (const other of seen) if (other === meaning) errors.duplicate(at.index(i).child('matchLabelExpressions'), '')
    seen.push(meaning)
  })
}

function checkTopology(
  { matchLabelExpressions }: Frozen<TopologySelectorTerm>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  const keys = new Set<string>()
  matchLabelExpressions?.forEach(({ key, values }, i) => {
    const path = at.index(i)
    if (!values?.length) errors.required(path.child('values'))
    values?.forEach((value, j) => {
      if (values.indexOf(value) < j) errors.duplicate(path.child('values').index(j), value)
    })
    checkLabelName(key ?? '', path.child('key'), errors)
    if (keys.has(key)) errors.duplicate(path.child('key'), key)
    keys.add(key)
  })
}
