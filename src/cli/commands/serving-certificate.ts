import { join } from 'node:path'
import type { Deps } from '../../base/deps.ts'
import { fileText } from '../../client/https/file-text.ts'
import { readFileIfThere, writeFileAtomic } from '../../cluster/files.ts'
import type { KeyPair } from '../../cluster/pki/certificate.ts'
import { exitCodes, Problem } from '../../cluster/problem.ts'
import { fileOf } from './component-flags.ts'

/** Where a component's serving certificate comes from. */
export interface CertificateSource {
  /** --tls-cert-file and --tls-private-key-file. */
  readonly certFile?: string | undefined
  readonly keyFile?: string | undefined
  /** --cert-dir: a certificate of the component's own making is kept there. */
  readonly folder?: string | undefined
  /** Its file names there, without their endings. */
  readonly name: string
  readonly commonName: string
  readonly hosts: readonly string[]
  /** Put behind it, and kept as ca.crt, so that clients can check it. */
  readonly withAuthority?: boolean
}

const validDays = 365

/** A component's serving certificate, read again when its files change. Without files it is of the component's own making, as upstream has it: made when it is first asked for. */
export function servingCertificate(
  source: CertificateSource,
  deps: Pick<Deps, 'clock' | 'random'>,
): () => Promise<KeyPair> {
  const { certFile, keyFile } = source
  fileOf(certFile, 'tls-cert-file')
  fileOf(keyFile, 'tls-private-key-file')
  if ((certFile === undefined) !== (keyFile === undefined))
    throw new Problem(
      'KN-CONFIG-02',
      `--${certFile ? 'tls-private-key-file' : 'tls-cert-file'} is missing: a certificate and its key go together`,
      'give both, or neither',
      { exitCode: exitCodes.usage },
    )
  if (certFile !== undefined && keyFile !== undefined)
    return async () => ({ cert: await fileText(certFile, deps.clock), key: await fileText(keyFile, deps.clock) })
  let made: Promise<KeyPair> | undefined
  return () => (made ??= ownCertificate(source, deps))
}

/** How often a certificate's files are looked at, for a server that wants to be told. */
const lookMs = 60_000

/** Tells of a serving certificate that has changed. Returns how to stop. */
export function followCertificate(
  serving: () => Promise<KeyPair>,
  told: (pair: KeyPair) => void,
  { clock, log }: Pick<Deps, 'clock' | 'log'>,
): () => void {
  let stopped = false
  let cancel = (): void => {}
  let current: string | undefined
  const look = async () => {
    try {
      const pair = await serving()
      if (current !== undefined && pair.cert !== current) {
        told(pair)
        log.info({}, 'a renewed serving certificate is in use')
      }
      current = pair.cert
    } catch (error) {
      // Half written, or gone for a moment: the one in use stays.
      log.warn({ err: error }, 'the serving certificate could not be read')
    }
    if (!stopped) cancel = clock.after(lookMs, () => void look())
  }
  void look()
  return () => {
    stopped = true
    cancel()
  }
}

async function ownCertificate(
  { folder, name, commonName, hosts, withAuthority }: CertificateSource,
  deps: Pick<Deps, 'clock' | 'random'>,
): Promise<KeyPair> {
  const [cert, key] = folder
    ? [readFileIfThere(join(folder, `${name}.crt`)), readFileIfThere(join(folder, `${name}.key`))]
    : []
  if (cert && key) return { cert, key }
  const { issue, newAuthority } = await import('../../cluster/pki/certificate.ts')
  const authority = await newAuthority(`${commonName}-ca`, validDays, deps)
  const issued = await issue(authority, { commonName, hosts, usage: 'server', validDays }, deps)
  const pair = withAuthority ? { cert: issued.cert + authority.cert, key: issued.key } : issued
  if (folder) {
    writeFileAtomic(join(folder, `${name}.key`), pair.key)
    writeFileAtomic(join(folder, `${name}.crt`), pair.cert, 0o644)
    if (withAuthority) writeFileAtomic(join(folder, 'ca.crt'), authority.cert, 0o644)
  }
  return pair
}
