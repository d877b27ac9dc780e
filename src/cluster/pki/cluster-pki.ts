import { X509Certificate } from 'node:crypto'
import { join } from 'node:path'
import type { Deps } from '../../base/deps.ts'
import { readFileIfThere, writeFileAtomic } from '../files.ts'
import {
  issue,
  isUsableKey,
  newAuthority,
  newSigningKeys,
  type CertificateRequest,
  type KeyPair,
} from './certificate.ts'

/** Everything a cluster proves itself with. Files are named as kubeadm names them. */
export interface ClusterPki {
  readonly folder: string
  readonly authority: KeyPair
  readonly frontProxyAuthority: KeyPair
  readonly serviceAccount: { readonly key: string; readonly publicKey: string }
  readonly apiServer: KeyPair
  readonly apiServerKubeletClient: KeyPair
  readonly frontProxyClient: KeyPair
  readonly admin: KeyPair
  readonly controllerManager: KeyPair
  readonly scheduler: KeyPair
  /** A node's client certificate (system:node:NAME). */
  node(name: string): KeyPair
  /** A node's serving certificate. */
  nodeServer(name: string): KeyPair
}

/** What the certificates must name. */
export interface PkiRequest {
  readonly folder: string
  /** Addresses and names under which the API server is reached. */
  readonly apiServerHosts: readonly string[]
  readonly nodes: readonly { readonly name: string; readonly addresses: readonly string[] }[]
  /** Takes what is on disk as it is, however soon it ends: another process renews it. */
  readonly readOnly?: boolean | undefined
}

const authorityDays = 3650
const leafDays = 365
/** A certificate with less than this left is made anew at the next start. */
const renewBeforeMs = 60 * 86_400_000

/** Reads the cluster's certificates, making what is missing, expires soon or no longer names what it must. */
export async function ensureClusterPki(request: PkiRequest, deps: Pick<Deps, 'clock' | 'random'>): Promise<ClusterPki> {
  const { folder } = request
  const authority = await ensureAuthority(folder, 'ca', 'kubernetes', deps)
  const frontProxyAuthority = await ensureAuthority(folder, 'front-proxy-ca', 'front-proxy-ca', deps)
  const leaf = (name: string, by: KeyPair, wanted: Omit<CertificateRequest, 'validDays'>) =>
    ensureLeaf({ folder, name, by, readOnly: request.readOnly ?? false }, { ...wanted, validDays: leafDays }, deps)
  const client = (name: string, commonName: string, ...organizations: string[]) =>
    leaf(name, authority, { commonName, organizations, usage: 'client' })

  const nodes = new Map<string, { client: KeyPair; server: KeyPair }>()
  for (const { name, addresses } of request.nodes) {
    const user = `system:node:${name}`
    nodes.set(name, {
      client: await client(`nodes/${name}/kubelet-client`, user, 'system:nodes'),
      server: await leaf(`nodes/${name}/kubelet`, authority, {
        commonName: user,
        organizations: ['system:nodes'],
        hosts: [name, ...addresses],
        usage: 'server',
      }),
    })
  }
  // Nodes' processes read these by their file names.
  await client('proxy', 'system:kube-proxy', 'system:node-proxier')
  return {
    folder,
    authority,
    frontProxyAuthority,
    serviceAccount: ensureSigningKeys(folder),
    apiServer: await leaf('apiserver', authority, {
      commonName: 'kube-apiserver',
      hosts: request.apiServerHosts,
      usage: 'server',
    }),
    apiServerKubeletClient: await client(
      'apiserver-kubelet-client',
      'kube-apiserver-kubelet-client',
      'kubeadm:cluster-admins',
      'system:masters',
    ),
    frontProxyClient: await leaf('front-proxy-client', frontProxyAuthority, {
      commonName: 'front-proxy-client',
      usage: 'client',
    }),
    admin: await client('admin', 'kubernetes-admin', 'system:masters'),
    controllerManager: await client('controller-manager', 'system:kube-controller-manager'),
    scheduler: await client('scheduler', 'system:kube-scheduler'),
    node: (name) => nodes.get(name)!.client,
    nodeServer: (name) => nodes.get(name)!.server,
  }
}

function read(folder: string, name: string): KeyPair | undefined {
  const [cert, key] = [readFileIfThere(join(folder, `${name}.crt`)), readFileIfThere(join(folder, `${name}.key`))]
  return cert && key ? { cert, key } : undefined
}

function write(folder: string, name: string, pair: KeyPair): KeyPair {
  writeFileAtomic(join(folder, `${name}.key`), pair.key)
  writeFileAtomic(join(folder, `${name}.crt`), pair.cert, 0o644)
  return pair
}

async function ensureAuthority(
  folder: string,
  name: string,
  commonName: string,
  deps: Pick<Deps, 'clock' | 'random'>,
): Promise<KeyPair> {
  return read(folder, name) ?? write(folder, name, await newAuthority(commonName, authorityDays, deps))
}

interface Leaf {
  readonly folder: string
  readonly name: string
  readonly by: KeyPair
  readonly readOnly: boolean
}

async function ensureLeaf(
  { folder, name, by, readOnly }: Leaf,
  wanted: CertificateRequest,
  deps: Pick<Deps, 'clock' | 'random'>,
): Promise<KeyPair> {
  const there = read(folder, name)
  if (there && readOnly) return there
  if (there && isUsable(there, by, wanted, deps.clock.now())) return there
  return write(folder, name, await issue(by, wanted, deps))
}

/** Whether a certificate on disk still serves: signed by our authority, not about to expire, naming every host. */
function isUsable(pair: KeyPair, by: KeyPair, wanted: CertificateRequest, nowMs: number): boolean {
  try {
    const cert = new X509Certificate(pair.cert)
    const named = (host: string) =>
      (/[:]|^[\d.]+$/.test(host) ? cert.checkIP(host) : cert.checkHost(host, { wildcards: false })) !== undefined
    return (
      cert.verify(new X509Certificate(by.cert).publicKey) &&
      cert.validToDate.getTime() - nowMs > renewBeforeMs &&
      (wanted.hosts ?? []).every(named) &&
      isUsableKey(pair.key)
    )
  } catch {
    // A file that is no certificate is replaced.
    return false
  }
}

function ensureSigningKeys(folder: string): { key: string; publicKey: string } {
  const [key, publicKey] = [readFileIfThere(join(folder, 'sa.key')), readFileIfThere(join(folder, 'sa.pub'))]
  if (key && publicKey) return { key, publicKey }
  const made = newSigningKeys()
  writeFileAtomic(join(folder, 'sa.key'), made.key)
  writeFileAtomic(join(folder, 'sa.pub'), made.publicKey)
  return made
}
