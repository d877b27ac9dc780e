import { badRequest } from '../../api/errors/api-error.ts'
import { deepClone } from '../../api/schema/values.ts'
import type { ObjectAnswer } from '../answer/answer.ts'
import type { Draft } from '../registry/resource-storage.ts'
import type { ResourceRequest } from '../request/api-request.ts'
import { decodeBody } from '../request/decode-body.ts'
import { writeOptions } from '../request/options.ts'
import type { Core } from './core.ts'
import { writeOf } from './create.ts'
import { matchNamespace } from './metadata.ts'
import { recordFields, updateObject } from './write.ts'

/** PUT of an object, or of a subresource that is stored in it. */
export async function update(core: Core, request: ResourceRequest): Promise<ObjectAnswer> {
  const { kind, info } = request
  const options = writeOptions(request.query, 'UpdateOptions')
  const sent = await decodeBody(request, kind, options.fieldValidation)
  matchNamespace(sent, kind, info.namespace)
  if (!sent.metadata.name)
    throw badRequest(`the name of the object (${info.name} based on URL) was undeterminable: name must be provided`)
  if (sent.metadata.name !== info.name)
    throw badRequest(`the name of the object (${sent.metadata.name}) does not match the name on the URL (${info.name})`)
  const write = writeOf(request, options, 'UpdateOptions')
  const conditional = Boolean(sent.metadata.resourceVersion)
  // The rules change the draft. With a resource version there is one try only, so nothing need be kept for another.
  const kept = conditional ? sent : deepClone(sent)
  const { document, action } = await updateObject(core, {
    ...write,
    name: info.name,
    uid: sent.metadata.uid,
    createIfMissing: write.subresource === '' && kind.behaviour.createOnUpdate === true,
    produce(old) {
      const draft: Draft = conditional ? kept : deepClone(kept)
      recordFields(core, write, draft, old)
      return draft
    },
  })
  return { type: 'object', code: action === 'create' ? 201 : 200, kind, document }
}
