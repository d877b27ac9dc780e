import { configMaps } from '../api/generated/resources.ts'
import type { Informers } from '../client/informer/informers.ts'

/** Where an API server publishes whom it and those behind it believe. */
const published = { namespace: 'kube-system', name: 'extension-apiserver-authentication' }

/** Follows the authority for client certificates that the API server publishes (PEM): what upstream's components believe when no --client-ca-file is given. */
export function followClientCa(informers: Pick<Informers, 'of'>): () => string | undefined {
  const found = informers.of(configMaps, {
    namespace: published.namespace,
    fieldSelector: `metadata.name=${published.name}`,
  })
  return () => found.get(published)?.data?.['client-ca-file']
}
