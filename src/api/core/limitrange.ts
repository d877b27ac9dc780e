import { limitRanges } from '../generated/resources.ts'
import type { LimitRange, LimitRangeItem } from '../generated/types/core-v1.ts'
import { ensure } from '../draft.ts'
import { defineKind } from '../kind.ts'
import type { Frozen } from '../resource.ts'
import { field, type FieldErrors, type FieldPath } from '../validation/field.ts'
import { isQualifiedName } from '../validation/names.ts'
import { compareAmounts, nanos, roundAmounts } from '../validation/quantities.ts'
import { checkContainerResourceName, checkResourceName, overcommits } from './resource-names.ts'

const standardTypes = new Set(['Pod', 'Container', 'PersistentVolumeClaim'])

/** What a LimitRange does. */
export const limitRangeDefinition = defineKind(limitRanges, {
  generation: false,
  createOnUpdate: true,
  metadata: { onUpdate: 'object' },
  defaults(range) {
    for (const item of ensure(range, 'spec').limits ?? []) {
      if (item.type === 'Container') defaultContainerLimits(item)
      for (const name of ['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const)
        roundAmounts(item[name])
    }
  },
  prepareCreate({ metadata }, { uuid }) {
    metadata.name ||= uuid()
  },
  validate: check,
  validateUpdate: (range, _old, errors) => check(range, errors),
})

/** What is missing follows from what is there: the limit from the most, the request from the limit or the least. */
function defaultContainerLimits(item: LimitRangeItem): void {
  const limits = ensure(item, 'default')
  const requests = ensure(item, 'defaultRequest')
  for (const [name, amount] of Object.entries(item.max ?? {})) limits[name] ??= amount
  for (const [name, amount] of Object.entries(limits)) requests[name] ??= amount
  for (const [name, amount] of Object.entries(item.min ?? {})) requests[name] ??= amount
}

function check({ spec }: Frozen<LimitRange>, errors: FieldErrors): void {
  const types = new Set<string>()
  spec?.limits?.forEach((item, i) => {
    const at = field('spec', 'limits').index(i)
    const { type = '' } = item
    const wrong = isQualifiedName(type)
    for (const text of wrong) errors.invalid(at.child('type'), type, text)
    if (!wrong.length && !type.includes('/') && !standardTypes.has(type))
      errors.invalid(at.child('type'), type, 'must be a standard limit type or fully qualified')
    if (types.has(type)) errors.duplicate(at.child('type'), type)
    types.add(type)
    checkNames(item, at, errors)
    for (const name of namesOf(item)) checkAmounts(name, item, at, errors)
  })
}

const isEmpty = (amounts: object | undefined) => Object.keys(amounts ?? {}).length === 0

function checkNames(item: Frozen<LimitRangeItem>, at: FieldPath, errors: FieldErrors): void {
  const rule = item.type === 'Pod' || item.type === 'Container' ? checkContainerResourceName : checkResourceName
  const parts =
    item.type === 'Pod'
      ? (['max', 'min', 'maxLimitRequestRatio'] as const)
      : (['max', 'min', 'default', 'defaultRequest', 'maxLimitRequestRatio'] as const)
  for (const part of parts) for (const name in item[part]) rule(name, at.child(part).key(name), errors)
  if (item.type === 'Pod')
    for (const part of ['default', 'defaultRequest'] as const)
      if (!isEmpty(item[part])) errors.forbidden(at.child(part), "may not be specified when `type` is 'Pod'")
  if (
    item.type === 'PersistentVolumeClaim' &&
    item.min?.['storage'] === undefined &&
    item.max?.['storage'] === undefined
  ) {
    errors.required(at.child('limits'), 'either minimum or maximum storage value is required, but neither was provided')
  }
}

const namesOf = (item: Frozen<LimitRangeItem>) =>
  new Set(
    [
      item.max,
      item.min,
      item.maxLimitRequestRatio,
      ...(item.type === 'Pod' ? [] : [item.default, item.defaultRequest]),
    ].flatMap((amounts) => Object.keys(amounts ?? {})),
  )

/** Fraction of two amounts, as upstream computes it: what 64 bits cannot hold is nothing. */
const ratioOf = (a: string, b: string) => bounded(a) / bounded(b)

const nanosMax = 2n ** 63n * 1_000_000_000n

const bounded = (amount: string): number => (nanos(amount) < nanosMax ? Number(nanos(amount)) : 0)

function checkAmounts(name: string, item: Frozen<LimitRangeItem>, at: FieldPath, errors: FieldErrors): void {
  const min = item.min?.[name]
  const max = item.max?.[name]
  const ratio = item.maxLimitRequestRatio?.[name]
  const limit = item.type === 'Pod' ? undefined : item.default?.[name]
  const request = item.type === 'Pod' ? undefined : item.defaultRequest?.[name]
  const above = (a: string | undefined, b: string | undefined) =>
    a !== undefined && b !== undefined && compareAmounts(a, b) > 0
  if (above(min, max))
    errors.invalid(at.child('min').key(name), min, `min value ${min} is greater than max value ${max}`)
  if (above(min, request))
    errors.invalid(
      at.child('defaultRequest').key(name),
      request,
      `min value ${min} is greater than default request value ${request}`,
    )
  if (above(request, max))
    errors.invalid(
      at.child('defaultRequest').key(name),
      request,
      `default request value ${request} is greater than max value ${max}`,
    )
  if (above(request, limit))
    errors.invalid(
      at.child('defaultRequest').key(name),
      request,
      `default request value ${request} is greater than default limit value ${limit}`,
    )
  if (above(min, limit))
    errors.invalid(at.child('default').key(name), min, `min value ${min} is greater than default value ${limit}`)
  if (above(limit, max))
    errors.invalid(at.child('default').key(name), max, `default value ${limit} is greater than max value ${max}`)
  if (ratio !== undefined && compareAmounts(ratio, '1') < 0)
    errors.invalid(at.child('maxLimitRequestRatio').key(name), ratio, `ratio ${ratio} is less than 1`)
  if (ratio !== undefined && min !== undefined && max !== undefined && ratioOf(ratio, '1') > ratioOf(max, min)) {
    errors.invalid(
      at.child('maxLimitRequestRatio').key(name),
      ratio,
      `ratio ${ratio} is greater than max/min = ${ratioOf(max, min).toFixed(6)}`,
    )
  }
  if (!overcommits(name) && limit !== undefined && request !== undefined && compareAmounts(limit, request) !== 0) {
    errors.invalid(
      at.child('defaultRequest').key(name),
      request,
      `default value ${limit} must equal to defaultRequest value ${request} in ${name}`,
    )
  }
}
