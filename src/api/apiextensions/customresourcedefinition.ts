import { formatOf } from '../crd-schema/formats.ts'
import { ensure, type Thawed } from '../draft.ts'
import { customResourceDefinitions } from '../generated/resources.ts'
import type { CustomResourceDefinition } from '../generated/types/apiextensions-v1.ts'
import { defineKind } from '../kind.ts'
import { definition } from '../schema/builtin.ts'
import { normalise } from '../schema/decode.ts'
import { checkImmutable } from '../validation/check.ts'
import { equal } from '../validation/equal.ts'
import { field } from '../validation/field.ts'
import { checkNames } from './definition-rules.ts'
import { checkDefinition } from './definition-spec-rules.ts'
import { schemasIn } from './schema-tree.ts'
import type { Frozen } from '../resource.ts'

const specName = 'apiextensions-apiserver.pkg.apis.apiextensions.v1.CustomResourceDefinitionSpec'

/** What a CustomResourceDefinition does. */
export const customResourceDefinitionDefinition = defineKind(customResourceDefinitions, {
  status: true,
  unconditionalUpdate: false,
  // Rules are told of maps that were sent empty; for all else they are the same as none.
  generation: ({ spec }, old) => !equal(spec, old.spec) && !equal(normalise(definition(specName), spec), old.spec),
  metadata: { finalizers: 'any' },
  defaults(definition) {
    const spec = ensure(definition, 'spec')
    const names = ensure(spec, 'names')
    names.singular ||= (names.kind ?? '').toLowerCase()
    if (names.kind) names.listKind ||= `${names.kind}List`
    spec.conversion ??= { strategy: 'None' }
    const service = spec.conversion.webhook?.clientConfig?.service
    if (service) service.port ??= 443
    if (!definition.status?.storedVersions?.length) rememberStored(definition)
  },
  prepareCreate: rememberStored,
  prepareUpdate(definition, _old, { subresource }) {
    if (subresource === '') rememberStored(definition)
  },
  validate: (definition, errors) => checkDefinition(definition, undefined, errors),
  validateUpdate(definition, old, errors, { subresource }) {
    if (subresource === 'status')
      return checkNames(definition.status?.acceptedNames, field('status', 'acceptedNames'), errors)
    checkDefinition(definition, old, errors)
    if (isEstablished(old)) {
      checkImmutable(definition.spec.scope, old.spec.scope, field('spec', 'scope'), errors)
      checkImmutable(definition.spec.names.kind, old.spec.names.kind, field('spec', 'names', 'kind'), errors)
    }
    checkImmutable(definition.spec.group, old.spec.group, field('spec', 'group'), errors)
    checkImmutable(definition.spec.names.plural, old.spec.names.plural, field('spec', 'names', 'plural'), errors)
  },
  warnings(definition, old) {
    const before = new Set(old ? unknownFormats(old) : [])
    return unknownFormats(definition)
      .filter((format) => !before.has(format))
      .map((format) => `unrecognized format ${JSON.stringify(format)}`)
  },
})

const isEstablished = ({ status }: Frozen<CustomResourceDefinition>): boolean =>
  !!status?.conditions?.some(({ type, status: value }) => type === 'Established' && value === 'True')

/** Objects may lie in every version that ever was the one to store. */
function rememberStored(definition: Thawed<CustomResourceDefinition>): void {
  const name = definition.spec?.versions?.find(({ storage }) => storage)?.name
  if (name === undefined) return
  const status = ensure(definition, 'status')
  if (!status.storedVersions?.includes(name)) status.storedVersions = [...(status.storedVersions ?? []), name]
}

function unknownFormats({ spec }: Frozen<CustomResourceDefinition>): string[] {
  const found = new Set<string>()
  for (const version of spec?.versions ?? []) {
    for (const { type, format } of schemasIn(version.schema?.openAPIV3Schema))
      if (format && type === 'string' && !formatOf(format)) found.add(format)
  }
  return [...found].sort()
}
