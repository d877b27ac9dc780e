import { configMaps } from '../../api/generated/resources.ts'
import { normalise } from '../../api/schema/decode.ts'
import type { Draft } from '../registry/resource-storage.ts'
import { timeText } from '../../api/schema/times.ts'
import type { Bootstrapping } from './bootstrap.ts'

const name = 'extension-apiserver-authentication'

/** Tells extension servers how to know users: by client certificates of the cluster's CA, or by the front proxy's headers. */
export async function ensureAuthenticationConfig({ core, options }: Bootstrapping): Promise<void> {
  const { clientCa, requestHeader } = options
  const data: Record<string, string> = {
    ...(clientCa !== undefined && { 'client-ca-file': clientCa }),
    ...(requestHeader && {
      'requestheader-allowed-names': JSON.stringify(requestHeader.allowedNames),
      'requestheader-client-ca-file': requestHeader.clientCa,
      'requestheader-extra-headers-prefix': JSON.stringify(requestHeader.extraHeaderPrefixes),
      'requestheader-group-headers': JSON.stringify(requestHeader.groupHeaders),
      'requestheader-uid-headers': JSON.stringify(requestHeader.uidHeaders),
      'requestheader-username-headers': JSON.stringify(requestHeader.usernameHeaders),
    }),
  }
  if (Object.keys(data).length === 0) return
  const storage = core.registry.storageOfResource(configMaps)!
  await storage.change(storage.keyOf('kube-system', name), (current) => {
    const metadata = current
      ? { ...current.object.metadata }
      : {
          name,
          namespace: 'kube-system',
          uid: core.random.uuid(),
          creationTimestamp: timeText(core.clock.now()),
          resourceVersion: '0',
        }
    const draft = normalise(storage.kind.schema, {
      kind: 'ConfigMap',
      apiVersion: 'v1',
      metadata,
      data,
    }) as unknown as Draft
    if (current && JSON.stringify(draft) === JSON.stringify(current.object)) return { action: 'keep' }
    return { action: 'write', draft }
  })
}
