import { createHmac } from 'node:crypto'
import { configMaps, secrets } from '../../api/generated/resources.ts'
import type { ConfigMap } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { isBeingDeleted, nameOf, namespaceOf } from '../../client/object.ts'
import { defineController, done, watch, type Context, type Outcome } from '../framework/controller.ts'
import { same } from '../framework/equality.ts'
import { bootstrapTokenOf, isExpired } from './bootstrap-token.ts'

const name = 'cluster-info'
const namespace = 'kube-public'
const prefix = 'jws-kubeconfig-'

/** Signs the cluster's public kubeconfig with every bootstrap token, so that who joins can check it with the token only. */
export const bootstrapSignerController = defineController<ConfigMap>({
  name: 'bootstrap-signer-controller',
  reconciles: configMaps,
  watches: [watch(secrets, (secret) => (namespaceOf(secret) === 'kube-system' ? [`${namespace}/${name}`] : []))],
  parallel: 1,
  reconcile,
})

async function reconcile(map: Frozen<ConfigMap>, c: Context<ConfigMap>): Promise<Outcome> {
  const kubeconfig = map.data?.['kubeconfig']
  if (nameOf(map) !== name || namespaceOf(map) !== namespace || isBeingDeleted(map) || kubeconfig === undefined)
    return done
  const data: Record<string, string> = Object.fromEntries(
    Object.entries(map.data ?? {}).filter(([key]) => !key.startsWith(prefix)),
  )
  for (const secret of c.of(secrets).list('kube-system')) {
    const token = bootstrapTokenOf(secret)
    if (token?.signs && !isExpired(token, c.clock.now()))
      data[`${prefix}${token.id}`] = detachedSignature(kubeconfig, token.id, token.secret)
  }
  if (!same(data, map.data)) c.wroteSelf(await c.client.update(configMaps, { ...map, data }))
  return done
}

/** A JWS (HS256) of which the content is left out: it stands beside it. */
function detachedSignature(content: string, id: string, secret: string): string {
  const header = Buffer.from(JSON.stringify({ alg: 'HS256', kid: id })).toString('base64url')
  const signature = createHmac('sha256', `${id}.${secret}`)
    .update(`${header}.${Buffer.from(content).toString('base64url')}`)
    .digest('base64url')
  return `${header}..${signature}`
}
