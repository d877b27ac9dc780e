import type { Secret } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { Init } from '../../runtime/cri/codec.ts'
import type { AuthConfig } from '../../runtime/cri/generated/cri.ts'
import { parseImageName } from './image-name.ts'

interface DockerAuth {
  readonly username?: string
  readonly password?: string
  readonly auth?: string
  readonly identitytoken?: string
  readonly registrytoken?: string
}

interface Entry {
  /** A glob for the host, '' in front of no path. */
  readonly host: string
  readonly path: string
  readonly auth: Init<AuthConfig>
}

/** The credentials in these secrets that fit the image, the most specific first. What cannot be read is left out. */
export function credentialsFor(image: string, secrets: readonly Frozen<Secret>[]): Init<AuthConfig>[] {
  const { registry, repository } = parseImageName(image)
  const host = registry === 'docker.io' ? 'index.docker.io' : registry
  return secrets
    .flatMap(entriesOf)
    .filter(
      (entry) =>
        (hostMatches(entry.host, host) || hostMatches(entry.host, registry)) &&
        (entry.path === '' || `/${repository}/`.startsWith(`${entry.path}/`)),
    )
    .sort((a, b) => b.path.length - a.path.length)
    .map(({ auth }) => auth)
}

function entriesOf(secret: Frozen<Secret>): Entry[] {
  const modern = secret.data?.['.dockerconfigjson']
  const legacy = secret.data?.['.dockercfg']
  try {
    if (secret.type === 'kubernetes.io/dockerconfigjson' && modern)
      return configEntries((JSON.parse(decoded(modern)) as { auths?: Record<string, DockerAuth> }).auths ?? {})
    if (secret.type === 'kubernetes.io/dockercfg' && legacy)
      return configEntries(JSON.parse(decoded(legacy)) as Record<string, DockerAuth>)
  } catch {
    // A secret that is no JSON gives no credentials, as upstream has it.
  }
  return []
}

const decoded = (base64: string) => Buffer.from(base64, 'base64').toString('utf8')

function configEntries(auths: Record<string, DockerAuth>): Entry[] {
  return Object.entries(auths).map(([server, entry]) => {
    const bare = server.replace(/^https?:\/\//, '')
    const slash = bare.indexOf('/')
    const path =
      slash < 0
        ? ''
        : bare
            .slice(slash)
            .replace(/\/$/, '')
            .replace(/^\/v[12]$/, '')
    return { host: slash < 0 ? bare : bare.slice(0, slash), path, auth: authOf(entry) }
  })
}

function authOf(entry: DockerAuth): Init<AuthConfig> {
  let { username = '', password = '' } = entry
  if (entry.auth) {
    const pair = decoded(entry.auth)
    const colon = pair.indexOf(':')
    if (colon >= 0) [username, password] = [pair.slice(0, colon), pair.slice(colon + 1)]
  }
  return { username, password, identityToken: entry.identitytoken ?? '', registryToken: entry.registrytoken ?? '' }
}

/** `*.example.com` stands for one label; ports must be equal. */
function hostMatches(pattern: string, host: string): boolean {
  const [patternName = '', patternPort] = pattern.split(':')
  const [name = '', port] = host.split(':')
  if (patternPort !== port) return false
  const [want, have] = [patternName.split('.'), name.split('.')]
  return want.length === have.length && want.every((label, i) => labelMatches(label, have[i]!))
}

const labelMatches = (pattern: string, label: string) =>
  pattern === label ||
  (pattern.includes('*') &&
    new RegExp(
      `^${pattern
        .split('*')
        .map((part) => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'))
        .join('[^.]*')}$`,
    ).test(label))
