import { namespaces } from '../generated/resources.ts'
import type { Namespace } from '../generated/types/core-v1.ts'
import { ensure, thaw } from '../draft.ts'
import { defineKind } from '../kind.ts'
import type { Frozen } from '../resource.ts'
import { field, type FieldErrors, type FieldPath } from '../validation/field.ts'
import { checkStandardFinalizer } from '../validation/metadata.ts'
import { dnsLabelErrors, isQualifiedName } from '../validation/names.ts'
import { namespaceRow } from './namespace-row.ts'

/** What a Namespace does. */
export const namespaceDefinition = defineKind(namespaces, {
  row: namespaceRow,
  status: true,
  generation: false,
  nameErrors: dnsLabelErrors,
  metadata: { onUpdate: 'both' },
  fields: { 'status.phase': ({ status }) => status?.phase ?? '' },
  defaults(namespace) {
    if (namespace.metadata.name) labelName(namespace)
    ensure(namespace, 'spec')
    ensure(namespace, 'status').phase ||= 'Active'
  },
  prepareCreate(namespace) {
    namespace.status = { phase: 'Active' }
    const spec = ensure(namespace, 'spec')
    // The namespace controller's: it empties the namespace before it goes.
    if (!spec.finalizers?.includes('kubernetes')) spec.finalizers = [...(spec.finalizers ?? []), 'kubernetes']
    labelName(namespace)
  },
  prepareUpdate(namespace, old, { subresource }) {
    labelName(namespace)
    if (subresource) return
    const finalizers = old.spec?.finalizers
    const spec = ensure(namespace, 'spec')
    if (finalizers) spec.finalizers = thaw(finalizers)
    else delete spec.finalizers
  },
  validate: ({ spec }, errors) => checkFinalizers(spec?.finalizers, errors, () => field('spec', 'finalizers')),
  validateUpdate(namespace, _old, errors, { subresource }) {
    if (subresource === 'status') checkPhase(namespace, errors)
    else if (subresource === 'finalize')
      checkFinalizers(namespace.spec?.finalizers, errors, (i) => field('spec', 'finalizers').index(i))
    else checkFinalizers(namespace.spec?.finalizers, errors, () => field('spec', 'finalizers'))
  },
})

function labelName({ metadata }: Namespace): void {
  if (metadata.name) ensure(metadata, 'labels')['kubernetes.io/metadata.name'] = metadata.name
}

function checkFinalizers(
  finalizers: readonly string[] | undefined,
  errors: FieldErrors,
  at: (i: number) => FieldPath,
): void {
  finalizers?.forEach((finalizer, i) => {
    for (const text of isQualifiedName(finalizer)) errors.invalid(at(i), finalizer, text)
    checkStandardFinalizer(finalizer, at(i), errors)
  })
}

function checkPhase({ metadata, status }: Frozen<Namespace>, errors: FieldErrors): void {
  const [phase, when] = metadata.deletionTimestamp ? ['Terminating', 'not empty'] : ['Active', 'empty']
  if (status?.phase !== phase)
    errors.invalid(
      field('status', 'Phase'),
      status?.phase ?? '',
      `may only be '${phase}' if \`deletionTimestamp\` is ${when}`,
    )
}
