import { customResourceDefinitions } from '../../api/generated/resources.ts'
import type { Lookup } from '../registry/registry.ts'
import type { AdmissionPlugin } from './admission.ts'
import { refusal } from './forbidden.ts'

/** A custom kind that is going gets no new objects. */
export const terminatingDefinition = (lookup: Lookup): AdmissionPlugin => ({
  name: 'TerminatingDefinition',
  handles: (operation, kind) => operation === 'CREATE' && kind.custom === true,
  admit(attributes) {
    const { plural, group } = attributes.kind.resource
    if (lookup.get(customResourceDefinitions, { name: `${plural}.${group}` })?.metadata.deletionTimestamp)
      throw refusal(attributes, 'create not allowed while custom resource definition is terminating')
  },
})
