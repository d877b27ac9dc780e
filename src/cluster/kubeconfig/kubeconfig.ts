import { existsSync, linkSync, lstatSync, realpathSync, rmSync, statSync, chownSync, readFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { delimiter, dirname, join } from 'node:path'
import { ensureFolder, readFileIfThere, writeFileAtomic } from '../files.ts'
import { Problem } from '../problem.ts'

/** The part of a kubeconfig that is ours to write; everything else in the file is kept as it is. */
export interface KubeconfigEntry {
  readonly name: string
  readonly server: string
  /** PEM. */
  readonly ca: string
  readonly user: { readonly cert: string; readonly key: string } | { readonly token: string }
}

interface Named {
  name: string
  [key: string]: unknown
}

interface Kubeconfig {
  apiVersion: 'v1'
  kind: 'Config'
  clusters: Named[]
  contexts: Named[]
  users: Named[]
  'current-context': string
  preferences?: unknown
  [key: string]: unknown
}

const base64 = (text: string) => Buffer.from(text).toString('base64')
const empty = (): Kubeconfig => ({
  apiVersion: 'v1',
  kind: 'Config',
  clusters: [],
  contexts: [],
  users: [],
  'current-context': '',
})

/** A kubeconfig with this one entry. */
export async function kubeconfigText(entry: KubeconfigEntry): Promise<string> {
  const { dump } = await import('js-yaml')
  return dump(withEntry(empty(), entry), { lineWidth: -1 })
}

/**
 * The file that entries are merged into: `--kubeconfig`, else the first existing or first listed file of KUBECONFIG, else ~/.kube/config; under sudo the
 * caller's, not root's.
 */
export function kubeconfigPath(given: string | undefined, env: NodeJS.ProcessEnv = process.env): string {
  if (given) return given
  const listed = (env['KUBECONFIG'] ?? '').split(delimiter).filter(Boolean)
  if (listed.length > 0) return listed.find((path) => existsSync(path)) ?? listed[0]!
  return join(callerHome(env), '.kube/config')
}

/** Adds or replaces the entry and makes it the current context. Returns the context that was current before. */
export async function mergeKubeconfig(path: string, entry: KubeconfigEntry): Promise<string> {
  let before = ''
  await change(path, (config) => {
    before = config['current-context']
    return { ...withEntry(config, entry), 'current-context': entry.name }
  })
  return before
}

/** Removes the entry; when its context was current, `previous` becomes so if it still exists. A file of which nothing is left goes. */
export async function removeFromKubeconfig(path: string, name: string, previous: string): Promise<void> {
  if (!existsSync(path)) return
  await change(path, (config) => {
    const contexts = without(config.contexts, name)
    const current =
      config['current-context'] === name
        ? contexts.some((c) => c.name === previous)
          ? previous
          : ''
        : config['current-context']
    return {
      ...config,
      clusters: without(config.clusters, name),
      users: without(config.users, name),
      contexts,
      'current-context': current,
    }
  })
}

const without = (list: Named[], name: string) => list.filter((item) => item.name !== name)

function withEntry(config: Kubeconfig, { name, server, ca, user }: KubeconfigEntry): Kubeconfig {
  const credentials =
    'token' in user
      ? { token: user.token }
      : { 'client-certificate-data': base64(user.cert), 'client-key-data': base64(user.key) }
  return {
    ...config,
    clusters: [
      ...without(config.clusters, name),
      { name, cluster: { server, 'certificate-authority-data': base64(ca) } },
    ],
    users: [...without(config.users, name), { name, user: credentials }],
    contexts: [...without(config.contexts, name), { name, context: { cluster: name, user: name } }],
    'current-context': config['current-context'] || name,
  }
}

async function change(named: string, edit: (config: Kubeconfig) => Kubeconfig): Promise<void> {
  const { dump, load } = await import('js-yaml')
  ensureFolder(dirname(named))
  // A link, as people who keep their configuration elsewhere have, stays one.
  const path = existsSync(named) ? realpathSync(named) : named
  const unlock = lock(path)
  try {
    const text = readFileIfThere(path)
    const config = { ...empty(), ...((text ? parse(path, text, load) : undefined) ?? {}) }
    for (const list of ['clusters', 'contexts', 'users'] as const) config[list] ??= []
    const edited = edit(config)
    if (isEmpty(edited) && !lstatSync(named).isSymbolicLink()) return rmSync(path)
    writeFileAtomic(path, dump(edited, { lineWidth: -1 }))
    giveToCaller(path)
  } finally {
    unlock()
  }
}

/** Says no more than a file that is not there. */
const isEmpty = ({ apiVersion: _version, kind: _kind, ...settings }: Kubeconfig): boolean =>
  Object.values(settings).every(
    (value) => value === '' || (typeof value === 'object' && Object.keys(value ?? {}).length === 0),
  )

function parse(path: string, text: string, load: (text: string) => unknown): Kubeconfig {
  try {
    const config = load(text)
    if (config === null || config === undefined) return empty()
    if (typeof config === 'object' && !Array.isArray(config)) return config as Kubeconfig
  } catch (error) {
    throw new Problem(
      'KN-KUBECONFIG-01',
      `${path} is not a kubeconfig: ${(error as Error).message}`,
      'correct or move the file, or name another with --kubeconfig',
      { cause: error },
    )
  }
  throw new Problem(
    'KN-KUBECONFIG-01',
    `${path} is not a kubeconfig`,
    'correct or move the file, or name another with --kubeconfig',
  )
}

/** client-go's lock file: whoever makes `config.lock` may write. */
function lock(path: string): () => void {
  const file = `${path}.lock`
  const own = `${file}.${process.pid}`
  writeFileAtomic(own, String(process.pid))
  try {
    linkSync(own, file)
  } catch (error) {
    throw new Problem(
      'KN-KUBECONFIG-01',
      `${path} is locked by another program (${file} exists)`,
      `wait for it to end; if none is running, remove ${file}`,
      { cause: error },
    )
  } finally {
    rmSync(own, { force: true })
  }
  return () => rmSync(file, { force: true })
}

/** The home folder of the person who typed the command, through sudo too. */
function callerHome(env: NodeJS.ProcessEnv): string {
  const caller = process.getuid?.() === 0 ? env['SUDO_USER'] : undefined
  if (!caller || caller === 'root') return env['HOME'] ?? homedir()
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((l) => l.startsWith(`${caller}:`))
  return line?.split(':')[5] ?? homedir()
}

/** Under sudo, the file belongs to the caller. */
function giveToCaller(path: string): void {
  const [uid, gid] = [Number(process.env['SUDO_UID']), Number(process.env['SUDO_GID'])]
  if (process.getuid?.() !== 0 || !uid || statSync(path).uid === uid) return
  chownSync(path, uid, gid)
  if (statSync(dirname(path)).uid === 0) chownSync(dirname(path), uid, gid)
}
