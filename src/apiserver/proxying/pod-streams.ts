import { ApiError, badRequest, notFound } from '../../api/errors/api-error.ts'
import { pods } from '../../api/generated/resources.ts'
import { DialError, UpgradeError, type Target } from '../../streaming/upgrade/forward.ts'
import { webSocketProtocols } from '../../streaming/upgrade/upgrade.ts'
import { methodNotAllowed } from '../answer/status.ts'
import { askOf, denied } from '../authz/authorizer.ts'
import { mastersGroup } from '../authn/user.ts'
import { UpgradeExchange } from '../http/upgrade-exchange.ts'
import type { KubeletClientOptions } from '../options.ts'
import type { ResourceRequest } from '../request/api-request.ts'
import type { Core } from '../verbs/core.ts'
import type { SubresourceHandler } from '../verbs/dispatch.ts'
import { attributesOf } from '../verbs/write.ts'
import { connectOptions } from './connect-options.ts'
import { giveUpgrade, plainFailure } from './forward.ts'
import { containerOf, kubeletTarget } from './kubelet-address.ts'

/** The ways into a container: exec, attach, port-forward. */
type StreamKind = 'exec' | 'attach' | 'portforward'

/** Connects a client with a container, through its kubelet. */
export function podStream(kind: StreamKind, options: KubeletClientOptions | undefined): SubresourceHandler {
  return async (core, request) => {
    const { info, exchange, query, method } = request
    if (method !== 'GET' && method !== 'POST') throw methodNotAllowed()
    await admitConnection(core, request)
    mustCreate(core, request)
    const pod = core.registry.get(pods, info)
    if (!pod) throw notFound(pods, info.name)
    const path =
      kind === 'portforward'
        ? portForwardPath(request)
        : containerPath(kind, request, containerOf(pod, query.get('container')))
    if (!pod.spec?.nodeName) throw badRequest(`pod ${info.name} does not have a host assigned`)
    if (options?.local?.(pod.spec.nodeName))
      throw plainFailure(
        `error dialing backend: the node ${pod.spec.nodeName} is simulated: nothing runs in its containers`,
      )
    const target = kubeletTarget(core.registry, options, pod.spec.nodeName)
    if (!(exchange instanceof UpgradeExchange)) throw badRequest('Upgrade request required')
    await connect(core, request, { kind, exchange, target, path })
    return { type: 'taken' }
  }
}

interface Session {
  readonly kind: StreamKind
  readonly exchange: UpgradeExchange
  readonly target: Target
  readonly path: string
}

/** Kubelets speak SPDY and the older WebSocket protocols: those pass as they are. The newer ones are translated here. */
async function connect(
  { clock }: Core,
  { query }: ResourceRequest,
  { kind, exchange, target, path }: Session,
): Promise<void> {
  const offered = webSocketProtocols(exchange.request) ?? []
  if (kind === 'portforward') {
    const { tunnelledProtocols, tunnelSpdy } = await import('../../streaming/channels/tunnel.ts')
    const protocols = tunnelledProtocols(offered)
    if (protocols.length > 0) {
      const refused = await reached(tunnelSpdy(exchange, { ...target, path, protocols }))
      if (refused) exchange.respond(refused.code, ['content-type', refused.contentType], refused.body)
      else exchange.taken(101)
      return
    }
  } else {
    const { remoteCommandV5, translateRemoteCommand } = await import('../../streaming/channels/remote-command.ts')
    if (offered.includes(remoteCommandV5)) {
      exchange.taken(101)
      const streams = {
        stdin: query.flag('stdin'),
        stdout: query.flag('stdout'),
        stderr: query.flag('stderr'),
        tty: query.flag('tty'),
      }
      await translateRemoteCommand(exchange, { clock, streams, server: { ...target, path } })
      return
    }
  }
  await giveUpgrade(exchange, { ...target, path }, dialFailed)
}

/** A kubelet that cannot be reached is a failure with a text of its own. */
async function reached<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (error instanceof DialError) throw dialFailed(error.message)
    throw error instanceof UpgradeError ? plainFailure(error.message) : error
  }
}

const dialFailed = (why: string) => plainFailure(`error dialing backend: ${why}`)

/** Whoever may only read may open a WebSocket with GET: a session takes the right to create one, whatever the method. */
function mustCreate({ authorizer }: Core, { user, info }: ResourceRequest): void {
  if (info.verb === 'create' || user.groups.includes(mastersGroup)) return
  const ask = { ...askOf(user, info), verb: 'create' }
  const { verdict, reason } = authorizer.authorize(ask)
  if (verdict !== 'allow') throw denied(ask, reason)
}

/** Plugins may refuse connections, too. */
export async function admitConnection(core: Core, request: ResourceRequest): Promise<void> {
  const { kind, info, user, warnings, subresource } = request
  const write = {
    kind,
    subresource: subresource?.name ?? '',
    namespace: info.namespace,
    user,
    warnings,
    dryRun: false,
    options: undefined,
  }
  const attributes = { ...attributesOf(write, 'CONNECT', connectOptions(request), undefined), name: info.name }
  await core.admission.admit(attributes)
  await core.admission.validate(attributes)
}

function containerPath(kind: StreamKind, { info, query }: ResourceRequest, container: string): string {
  const parameters = new URLSearchParams()
  const streams = { stdin: 'input', stdout: 'output', stderr: 'error', tty: 'tty' } as const
  for (const name of ['stdin', 'stdout', 'stderr', 'tty'] as const)
    if (query.flag(name)) parameters.append(streams[name], '1')
  if (kind === 'exec') for (const command of query.all('command')) parameters.append('command', command)
  return `/${kind}/${info.namespace}/${info.name}/${encodeURIComponent(container)}?${parameters.toString()}`
}

function portForwardPath({ info, query }: ResourceRequest): string {
  const ports = query
    .all('ports')
    .flatMap((value) => value.split(','))
    .filter(Boolean)
  for (const port of ports)
    if (!/^\d{1,10}$/.test(port))
      throw new ApiError(badRequest(`strconv.ParseInt: parsing ${JSON.stringify(port)}: invalid syntax`).status)
  const text = ports.length > 0 ? `?port=${ports.join(',')}` : ''
  return `/portForward/${info.namespace}/${info.name}${text}`
}
