import { ApiError } from '../../../api/errors/api-error.ts'
import { validatingAdmissionPolicies } from '../../../api/generated/resources.ts'
import type { ValidatingAdmissionPolicy } from '../../../api/generated/types/admissionregistration-v1.ts'
import type { Frozen } from '../../../api/resource.ts'
import { apiServerUser } from '../../authn/user.ts'
import { follow } from '../../registry/follow.ts'
import type { Draft } from '../../registry/resource-storage.ts'
import type { Core } from '../../verbs/core.ts'
import { recordFields, updateObject } from '../../verbs/write.ts'

type Policy = Frozen<ValidatingAdmissionPolicy>

/** Writes into the status of each policy what its expressions look like with the types of the kinds that it is about. */
export async function keepPolicyStatuses(core: Core): Promise<void> {
  let tail = Promise.resolve()
  await follow(core.registry.storageOfResource(validatingAdmissionPolicies)!.cache, {
    set(entry) {
      const policy = entry.object as Policy
      if (policy.status?.observedGeneration === policy.metadata.generation) return
      tail = tail
        .then(() => checkPolicy(core, policy))
        .catch((error: unknown) =>
          core.log.warn(
            { err: error, policy: policy.metadata.name },
            'the status of an admission policy could not be written',
          ),
        )
    },
    remove() {},
  })
}

async function checkPolicy(core: Core, policy: Policy): Promise<void> {
  const { typeWarnings } = await import('./type-check.ts')
  const warnings = policy.spec ? typeWarnings(core.kinds, policy.spec) : []
  const { group, version, plural } = validatingAdmissionPolicies
  const write = {
    kind: core.kinds.byResource(group, version, plural)!,
    subresource: 'status',
    namespace: '',
    user: apiServerUser,
    warnings: [],
    dryRun: false,
    options: undefined,
    fieldManager: 'kube-controller-manager',
    userAgent: '',
  }
  try {
    await updateObject(core, {
      ...write,
      name: policy.metadata.name ?? '',
      uid: policy.metadata.uid,
      createIfMissing: false,
      unconditional: true,
      produce(old) {
        const status = {
          ...(old as Policy).status,
          observedGeneration: policy.metadata.generation,
          typeChecking: warnings.length > 0 ? { expressionWarnings: warnings } : {},
        }
        const draft = structuredClone({ ...old, status }) as unknown as Draft
        recordFields(core, write, draft, old)
        return draft
      },
    })
  } catch (error) {
    // Gone, or made anew meanwhile.
    if (!(error instanceof ApiError) || (error.code !== 404 && error.code !== 409)) throw error
  }
}
