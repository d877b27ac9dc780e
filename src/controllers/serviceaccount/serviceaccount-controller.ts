import { isAlreadyExists } from '../../api/errors/api-error.ts'
import { namespaces, serviceAccounts } from '../../api/generated/resources.ts'
import type { Namespace } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { isBeingDeleted, nameOf, namespaceOf } from '../../client/object.ts'
import { isNamespaceTerminating } from '../framework/context.ts'
import { defineController, done, watch, type Context, type Outcome } from '../framework/controller.ts'

const name = 'default'

/** Gives every namespace the service account that pods run as when they name none. */
export const serviceAccountController = defineController<Namespace>({
  name: 'serviceaccount-controller',
  component: 'serviceaccount-controller',
  reconciles: namespaces,
  watches: [watch(serviceAccounts, (account) => (nameOf(account) === name ? [namespaceOf(account)] : []))],
  parallel: 5,
  reconcile,
})

async function reconcile(namespace: Frozen<Namespace>, c: Context<Namespace>): Promise<Outcome> {
  if (isBeingDeleted(namespace) || namespace.status?.phase === 'Terminating') return done
  const key = { namespace: nameOf(namespace), name }
  if (c.of(serviceAccounts).get(key)) return done
  try {
    await c.client.create(serviceAccounts, { apiVersion: 'v1', kind: 'ServiceAccount', metadata: key })
  } catch (error) {
    if (!isAlreadyExists(error) && !isNamespaceTerminating(error)) throw error
  }
  return done
}
