import { isNotFound } from '../../api/errors/api-error.ts'
import { secrets } from '../../api/generated/resources.ts'
import type { Secret } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { keyOf } from '../../api/resource.ts'
import { namespaceOf, uidOf } from '../../client/object.ts'
import { defineController, done, requeueAfter, type Context, type Outcome } from '../framework/controller.ts'
import { bootstrapTokenOf, isExpired } from './bootstrap-token.ts'

/** Deletes bootstrap tokens whose time is over. */
export const tokenCleanerController = defineController<Secret>({
  name: 'token-cleaner-controller',
  reconciles: secrets,
  parallel: 1,
  reconcile,
})

async function reconcile(secret: Frozen<Secret>, c: Context<Secret>): Promise<Outcome> {
  const token = namespaceOf(secret) === 'kube-system' ? bootstrapTokenOf(secret) : undefined
  if (!token || token.expiresMs === undefined) return done
  if (!isExpired(token, c.clock.now())) return requeueAfter(token.expiresMs - c.clock.now())
  try {
    await c.client.delete(secrets, keyOf(secret), { uid: uidOf(secret) })
  } catch (error) {
    if (!isNotFound(error)) throw error
  }
  return done
}
