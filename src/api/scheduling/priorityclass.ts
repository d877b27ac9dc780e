import { priorityClasses } from '../generated/resources.ts'
import type { PriorityClass } from '../generated/types/scheduling-v1.ts'
import { defineKind } from '../kind.ts'
import type { Frozen } from '../resource.ts'
import { checkImmutable } from '../validation/check.ts'
import { type FieldErrors, field } from '../validation/field.ts'
import { priorityClassRow } from './priorityclass-row.ts'

const userMax = 1_000_000_000
const policies = ['PreemptLowerPriority', 'Never']
/** Classes that come with the cluster. */
const systemValues = new Map([
  ['system-node-critical', 2_000_001_000],
  ['system-cluster-critical', 2_000_000_000],
])

/** What a PriorityClass does. */
export const priorityClassDefinition = defineKind(priorityClasses, {
  row: priorityClassRow,
  generation: () => false,
  defaults(priorityClass) {
    priorityClass.preemptionPolicy ??= 'PreemptLowerPriority'
  },
  validate: checkPriorityClass,
  validateUpdate(priorityClass, old, errors) {
    if (priorityClass.value !== old.value) errors.forbidden(field('value'), 'may not be changed in an update.')
    checkImmutable(priorityClass.preemptionPolicy, old.preemptionPolicy, field('preemptionPolicy'), errors)
  },
})

function checkPriorityClass(priorityClass: Frozen<PriorityClass>, errors: FieldErrors): void {
  const { metadata, value = 0, preemptionPolicy: policy } = priorityClass
  if (metadata.name?.startsWith('system-')) {
    const problem = systemProblem(priorityClass)
    if (problem)
      errors.forbidden(
        field('metadata', 'name'),
        `priority class names with 'system-' prefix are reserved for system use only. error: ${problem}`,
      )
  } else if (value > userMax)
    errors.forbidden(field('value'), `maximum allowed value of a user defined priority is ${userMax}`)
  if (policy === '') errors.required(field('preemptionPolicy'))
  else if (policy !== undefined && !policies.includes(policy))
    errors.notSupported(field('preemptionPolicy'), policy, policies)
}

function systemProblem({
  metadata: { name = '' },
  value = 0,
  globalDefault,
}: Frozen<PriorityClass>): string | undefined {
  const expected = systemValues.get(name)
  if (expected === undefined) return `${name} is not a known system priority class`
  if (value !== expected) return `value of ${name} PriorityClass must be ${expected}`
  return globalDefault ? `globalDefault of ${name} PriorityClass must be false` : undefined
}
