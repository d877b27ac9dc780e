import { forbidden } from '../../api/errors/api-error.ts'
import type { ApiError } from '../../api/errors/api-error.ts'
import type { Attributes } from './admission.ts'

/** 403, as every plugin refuses: `pods "web" is forbidden: …`. An object without a name yet is called by the start of it. */
export function refusal({ kind, name, object }: Attributes, why: string): ApiError {
  return forbidden(kind.resource, name || object?.metadata.name || object?.metadata.generateName || 'Unknown', why)
}
