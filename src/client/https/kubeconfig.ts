import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { dirname, resolve } from 'node:path'
import { promisify } from 'node:util'
import type { Transport } from '../transport.ts'
import { httpsTransport, type HttpsTransportOptions } from './https-transport.ts'

/** A kubeconfig file's content, as far as a client needs it. */
export interface Kubeconfig {
  readonly 'current-context'?: string
  readonly clusters?: readonly { readonly name: string; readonly cluster: KubeconfigCluster }[]
  readonly users?: readonly { readonly name: string; readonly user: KubeconfigUser }[]
  readonly contexts?: readonly {
    readonly name: string
    readonly context: { readonly cluster: string; readonly user: string; readonly namespace?: string }
  }[]
}

/** Where a cluster is. */
export interface KubeconfigCluster {
  readonly server?: string
  readonly 'certificate-authority'?: string
  readonly 'certificate-authority-data'?: string
  readonly 'tls-server-name'?: string
  readonly 'insecure-skip-tls-verify'?: boolean
}

/** Who somebody is. */
export interface KubeconfigUser {
  readonly 'client-certificate'?: string
  readonly 'client-certificate-data'?: string
  readonly 'client-key'?: string
  readonly 'client-key-data'?: string
  readonly token?: string
  readonly tokenFile?: string
  readonly username?: string
  readonly password?: string
  readonly as?: string
  readonly 'as-groups'?: readonly string[]
  readonly exec?: {
    readonly command: string
    readonly args?: readonly string[]
    readonly env?: readonly { name: string; value: string }[]
    readonly apiVersion?: string
  }
}

/** What to connect with, besides what the file says. */
export interface KubeconfigOptions {
  /** Instead of the file's current context. */
  readonly context?: string
  readonly userAgent?: string
  readonly deps: HttpsTransportOptions['deps']
}

/** The connection that a kubeconfig (its path or its content) describes. Paths in a file are relative to it. */
export async function transportFromKubeconfig(
  source: string | Kubeconfig,
  options: KubeconfigOptions,
): Promise<Transport> {
  return httpsTransport(await connectionOf(source, options))
}

/** What `httpsTransport` needs, read from a kubeconfig. */
export async function connectionOf(
  source: string | Kubeconfig,
  options: KubeconfigOptions,
): Promise<HttpsTransportOptions> {
  const [config, folder] =
    typeof source === 'string' ? [await readKubeconfig(source), dirname(resolve(source))] : [source, process.cwd()]
  const from = typeof source === 'string' ? source : 'the kubeconfig'
  const contextName = options.context ?? config['current-context']
  if (!contextName) throw new Error(`${from} has no current-context: name a context`)
  const context = config.contexts?.find(({ name }) => name === contextName)?.context
  if (!context) throw new Error(`${from} has no context "${contextName}"`)
  const cluster = config.clusters?.find(({ name }) => name === context.cluster)?.cluster
  if (!cluster?.server)
    throw new Error(
      `${from}: the cluster "${context.cluster}" of context "${contextName}" is not there, or has no server`,
    )
  const user = config.users?.find(({ name }) => name === context.user)?.user ?? {}
  const path = (name: string | undefined) => name && resolve(folder, name)
  const caFile = path(cluster['certificate-authority'])
  const executed = user.exec ? await credentialsOf(user.exec) : {}
  return {
    server: cluster.server,
    ca: text(cluster['certificate-authority-data']) ?? (caFile && (await readFile(caFile, 'utf8'))),
    cert: text(user['client-certificate-data']) ?? executed.clientCertificateData,
    key: text(user['client-key-data']) ?? executed.clientKeyData,
    certFile: path(user['client-certificate']),
    keyFile: path(user['client-key']),
    token: user.token ?? executed.token,
    tokenFile: path(user.tokenFile),
    username: user.username,
    password: user.password,
    serverName: cluster['tls-server-name'],
    insecureSkipVerify: cluster['insecure-skip-tls-verify'],
    userAgent: options.userAgent,
    impersonate: user.as ? { user: user.as, groups: user['as-groups'] ?? [] } : undefined,
    deps: options.deps,
  }
}

/** The same server for nobody: who asks is told with each request. */
export const withoutCredentials = ({
  server,
  ca,
  serverName,
  insecureSkipVerify,
  userAgent,
  deps,
}: HttpsTransportOptions): HttpsTransportOptions => ({ server, ca, serverName, insecureSkipVerify, userAgent, deps })

/** Reads and parses a kubeconfig file. */
export async function readKubeconfig(path: string): Promise<Kubeconfig> {
  const content = await readFile(path, 'utf8')
  const { load } = await import('js-yaml')
  const parsed: unknown = load(content)
  if (typeof parsed !== 'object' || parsed === null) throw new Error(`${path} is not a kubeconfig: it holds no mapping`)
  return parsed as Kubeconfig
}

const text = (base64: string | undefined): string | undefined =>
  base64 ? Buffer.from(base64, 'base64').toString() : undefined

interface ExecCredentials {
  readonly token?: string
  readonly clientCertificateData?: string
  readonly clientKeyData?: string
}

/** Runs a credential plugin (client.authentication.k8s.io). */
async function credentialsOf(exec: NonNullable<KubeconfigUser['exec']>): Promise<ExecCredentials> {
  const apiVersion = exec.apiVersion ?? 'client.authentication.k8s.io/v1'
  const info = JSON.stringify({ apiVersion, kind: 'ExecCredential', spec: { interactive: false } })
  const env = {
    ...process.env,
    KUBERNETES_EXEC_INFO: info,
    ...Object.fromEntries((exec.env ?? []).map(({ name, value }) => [name, value])),
  }
  const { stdout } = await promisify(execFile)(exec.command, [...(exec.args ?? [])], { env })
  const answer = JSON.parse(stdout) as { status?: ExecCredentials }
  if (!answer.status) throw new Error(`the credential plugin ${exec.command} gave no status`)
  return answer.status
}
