import { bindings } from '../generated/resources.ts'
import { defineKind } from '../kind.ts'
import { field } from '../validation/field.ts'

/** What a Binding does: it says on which node a Pod runs. Never stored. */
export const bindingDefinition = defineKind(bindings, {
  generation: false,
  validate({ target }, errors) {
    if (target?.kind && target.kind !== 'Node')
      errors.notSupported(field('target', 'kind'), target.kind, ['Node', '<empty>'])
    if (!target?.name) errors.required(field('target', 'name'))
  },
})
