import { validateFieldManager } from '../../api/apply/field-manager.ts'
import type { DeleteOptions } from '../../api/generated/types/meta-v1.ts'
import { invalid } from '../../api/errors/api-error.ts'
import { field, FieldErrors } from '../../api/validation/field.ts'
import type { Query } from './query.ts'

/** How strictly fields that a kind does not have are taken. */
export type FieldValidation = 'Ignore' | 'Warn' | 'Strict'

/** Options of writes, from the query. */
export interface WriteOptions {
  readonly dryRun: boolean
  /** '' when the client names none: then its user agent counts. */
  readonly fieldManager: string
  readonly fieldValidation: FieldValidation
  /** Of apply patches only. */
  readonly force: boolean | undefined
}

/** Reads and checks the options of a create, update or patch. `kind` is what its errors name: CreateOptions, UpdateOptions, PatchOptions. */
export function writeOptions(query: Query, kind: string, applying = false): WriteOptions {
  const errors = new FieldErrors()
  const dryRun = checkDryRun(query.all('dryRun'), errors)
  const fieldManager = query.get('fieldManager') ?? ''
  const force = query.optionalFlag('force')
  if (kind === 'PatchOptions') {
    if (applying && fieldManager === '') errors.required(field('fieldManager'), 'is required for apply patch')
    if (!applying && force !== undefined) errors.forbidden(field('force'), 'may not be specified for non-apply patch')
  }
  validateFieldManager(fieldManager, errors, field('fieldManager'))
  const validation = query.get('fieldValidation') ?? ''
  if (validation !== '' && validation !== 'Ignore' && validation !== 'Warn' && validation !== 'Strict') {
    errors.notSupported(field('fieldValidation'), validation, ['', 'Ignore', 'Strict', 'Warn'])
  }
  if (!errors.empty) throw invalid('meta.k8s.io', kind, '', errors)
  return { dryRun, fieldManager, fieldValidation: validation === '' ? 'Warn' : (validation as FieldValidation), force }
}

function checkDryRun(values: readonly string[], errors: FieldErrors): boolean {
  for (const value of values) {
    if (value !== 'All') {
      errors.notSupported(field('dryRun'), values, ['All'])
      break
    }
  }
  return values.length > 0
}

/** A delete's options as they are worked with. */
export interface Deletion {
  gracePeriodSeconds: number | undefined
  readonly orphanDependents: boolean | undefined
  readonly propagationPolicy: 'Orphan' | 'Background' | 'Foreground' | undefined
  readonly uid: string | undefined
  readonly resourceVersion: string | undefined
  readonly dryRun: boolean
}

/** Checks the options of a delete, that came in its body or its query. */
export function deletionOf(options: DeleteOptions): Deletion {
  const errors = new FieldErrors()
  const { orphanDependents, propagationPolicy } = options
  if (orphanDependents !== undefined && orphanDependents !== null && propagationPolicy) {
    errors.invalid(
      field('propagationPolicy'),
      propagationPolicy,
      'orphanDependents and deletionPropagation cannot be both set',
    )
  }
  if (
    propagationPolicy &&
    propagationPolicy !== 'Orphan' &&
    propagationPolicy !== 'Background' &&
    propagationPolicy !== 'Foreground'
  ) {
    errors.notSupported(field('propagationPolicy'), propagationPolicy, ['Foreground', 'Background', 'Orphan', 'nil'])
  }
  const dryRun = checkDryRun(options.dryRun ?? [], errors)
  if (!errors.empty) throw invalid('meta.k8s.io', 'DeleteOptions', '', errors)
  return {
    gracePeriodSeconds: options.gracePeriodSeconds ?? undefined,
    orphanDependents: orphanDependents ?? undefined,
    propagationPolicy: (propagationPolicy as Deletion['propagationPolicy']) || undefined,
    uid: options.preconditions?.uid ?? undefined,
    resourceVersion: options.preconditions?.resourceVersion ?? undefined,
    dryRun,
  }
}

/** Delete options from a query. */
export function deleteOptionsOf(query: Query): DeleteOptions {
  const gracePeriodSeconds = query.integer('gracePeriodSeconds')
  const orphanDependents = query.optionalFlag('orphanDependents')
  const propagationPolicy = query.get('propagationPolicy')
  return {
    ...(gracePeriodSeconds !== undefined && { gracePeriodSeconds }),
    ...(orphanDependents !== undefined && { orphanDependents }),
    ...(propagationPolicy && { propagationPolicy }),
    ...(query.has('dryRun') && { dryRun: [...query.all('dryRun')] }),
  }
}
