import type {
  CustomResourceColumnDefinition,
  CustomResourceDefinitionSpec,
  CustomResourceDefinitionVersion,
  CustomResourceSubresources,
  CustomResourceValidation,
  SelectableField,
} from '../generated/types/apiextensions-v1.ts'
import type { Frozen } from '../resource.ts'
import { equal } from '../validation/equal.ts'

/** What a version may have of its own or share with all others. */
export interface SharedParts {
  readonly schema?: Frozen<CustomResourceValidation>
  readonly subresources?: Frozen<CustomResourceSubresources>
  readonly additionalPrinterColumns?: readonly Frozen<CustomResourceColumnDefinition>[]
  readonly selectableFields?: readonly Frozen<SelectableField>[]
}

type Version = Frozen<CustomResourceDefinitionVersion>

/** A definition as upstream checks it: what all versions have alike stands above them, and errors are told of it there. */
export interface DefinitionForm {
  readonly versions: readonly Version[]
  readonly shared: SharedParts
}

const parts = ['schema', 'subresources', 'additionalPrinterColumns', 'selectableFields'] as const

/** Brings a definition's spec into the form in which it is checked. */
export function definitionForm(spec: Frozen<CustomResourceDefinitionSpec> | undefined): DefinitionForm {
  const versions = spec?.versions ?? []
  const [first] = versions
  const alike = parts.filter((part) => first && versions.every((version) => equal(version[part], first[part])))
  return {
    versions: versions.map(
      (version) =>
        Object.fromEntries(
          Object.entries(version).filter(([key]) => !alike.some((part) => part === key)),
        ) as unknown as Version,
    ),
    shared: Object.fromEntries(
      alike.flatMap((part) => (first?.[part] === undefined || first[part] === null ? [] : [[part, first[part]]])),
    ) as SharedParts,
  }
}

/** Whether there is a status subresource. */
export const hasStatus = (subresources: Frozen<CustomResourceSubresources> | undefined): boolean =>
  !!subresources?.status
