import type { Volume, VolumeProjection } from '../../generated/types/core-v1.ts'
import type { Frozen } from '../../resource.ts'

/** A path in a volume and what puts a file there. */
interface Mapped {
  readonly path: string
  readonly source: string
}

const quoted = (text: string) => JSON.stringify(text)
const shown = ({ path, source }: Mapped) => (source ? `${quoted(path)} (${source})` : quoted(path))
const mapped = (items: readonly { readonly path: string }[], source: string): Mapped[] =>
  items.map(({ path }) => ({ path, source }))

/** Warns of files that hide each other in one volume: the later one wins, or a folder stands where a file should be. */
export const overlapWarnings = (volumes: Frozen<Volume[]>): string[] =>
  volumes.flatMap((volume) => (putsFiles(volume) ? warningsOf(volume) : []))

const putsFiles = ({ configMap, secret, downwardAPI, projected }: Frozen<Volume>): unknown =>
  configMap?.items ?? secret?.items ?? downwardAPI?.items ?? projected?.sources

function warningsOf({ name, configMap, secret, downwardAPI, projected }: Frozen<Volume>): string[] {
  const tell = (what: string, overlaps: string[]) =>
    overlaps.map((overlap) => `volume ${quoted(name)} (${what}): overlapping paths: ${overlap}`)
  return [
    ...tell(`ConfigMap ${quoted(configMap?.name ?? '')}`, overlaps(mapped(configMap?.items ?? [], ''))),
    ...tell(`Secret ${quoted(secret?.secretName ?? '')}`, overlaps(mapped(secret?.items ?? [], ''))),
    ...tell('DownwardAPI', overlaps(mapped(downwardAPI?.items ?? [], ''))),
    ...(projected?.sources ?? [])
      .filter((source) => !Object.values(source).some(Boolean))
      .map(() => `volume ${quoted(name)} (Projected) has no sources provided`),
    ...tell('Projected', overlaps((projected?.sources ?? []).flatMap(pathsOf))),
  ]
}

function pathsOf({
  configMap,
  secret,
  downwardAPI,
  serviceAccountToken: token,
  clusterTrustBundle: bundle,
  podCertificate,
}: Frozen<VolumeProjection>): Mapped[] {
  if (configMap?.items) return mapped(configMap.items, `ConfigMap ${quoted(configMap.name ?? '')}`)
  if (secret?.items) return mapped(secret.items, `Secret ${quoted(secret.name ?? '')}`)
  if (downwardAPI?.items) return mapped(downwardAPI.items, 'DownwardAPI')
  if (token) return [{ path: token.path, source: 'ServiceAccountToken' }]
  if (bundle)
    return [{ path: bundle.path, source: `ClusterTrustBundle ${quoted(bundle.name ?? bundle.signerName ?? '')}` }]
  const { certificateChainPath, keyPath, credentialBundlePath } = podCertificate ?? {}
  const certificates = [
    [certificateChainPath, 'PodCertificate chain'],
    [keyPath, 'PodCertificate key'],
    [credentialBundlePath, 'PodCertificate credential bundle'],
  ] as const
  return certificates.flatMap(([path, source]) => (path ? [{ path, source }] : []))
}

function overlaps(paths: readonly Mapped[]): string[] {
  const found: string[] = []
  const known: Mapped[] = []
  for (const { path, source } of paths) {
    const one = { path: (path ?? '').replace(/\/+$/, ''), source }
    if (one.path) {
      for (const other of known) {
        if (other.path && (`${other.path}/`.startsWith(`${one.path}/`) || `${one.path}/`.startsWith(`${other.path}/`)))
          found.push(`${shown(one)} with ${shown(other)}`)
      }
    }
    known.push(one)
  }
  return found
}
