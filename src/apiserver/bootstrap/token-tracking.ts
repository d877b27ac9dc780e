import { configMaps } from '../../api/generated/resources.ts'
import { dayOf } from '../authn/legacy-tokens.ts'
import type { Bootstrapping } from './bootstrap.ts'
import { ensureObject } from './ensure-object.ts'

/** Says since when the last uses of tokens in Secrets are written down: whoever cleans up may not call one unused before that. */
export async function ensureTokenTracking({ core, kinds }: Bootstrapping): Promise<void> {
  await ensureObject(core, kinds.byResource(configMaps.group, configMaps.version, configMaps.plural)!, {
    metadata: { name: 'kube-apiserver-legacy-service-account-token-tracking', namespace: 'kube-system' },
    data: { since: dayOf(core.clock.now()) },
  })
}
