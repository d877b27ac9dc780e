import type { StreamOptions } from '../../../runtime/runtime.ts'
import { endSoon } from '../../../streaming/upgrade/upgrade.ts'
import { forwardUpgrade } from '../../../streaming/upgrade/forward.ts'
import { containerSpec } from '../../pod/containers.ts'
import { Refusal, type Endpoint, type KubeletAnswer, type KubeletRequest } from '../request.ts'

/** Who asked is our affair, not the runtime's. */
const ours: ReadonlySet<string> = new Set(['authorization'])

/** /exec/{namespace}/{pod}/{container}: the runtime's own streaming server carries the session. */
export const exec: Endpoint = (request) => {
  const { url, server } = request
  const { key, container } = target(request)
  const streams = streamsOf(url.searchParams)
  return forward(request, () => server.kubelet.execUrl(key, container, url.searchParams.getAll('command'), streams))
}

/** /attach/{namespace}/{pod}/{container} */
export const attach: Endpoint = (request) => {
  const { url, server } = request
  const { key, pod, container } = target(request)
  const streams = streamsOf(url.searchParams)
  // A terminal is the container's; whoever attaches has to take it as it is.
  const tty = containerSpec(pod, container)?.tty === true
  return forward(request, () =>
    server.kubelet.attachUrl(key, container, { ...streams, tty, stderr: streams.stderr === true && !tty }),
  )
}

/** /portForward/{namespace}/{pod} */
export const portForward: Endpoint = (request) => {
  const { url, server, params } = request
  const key = { namespace: params['namespace'] ?? '', name: params['pod'] ?? '' }
  if (!server.kubelet.pod(key)) throw new Refusal(404, 'pod does not exist')
  const ports = url.searchParams
    .getAll('port')
    .flatMap((text) => text.split(','))
    .filter(Boolean)
    .map(Number)
  if (ports.some((port) => !Number.isInteger(port) || port < 1 || port > 65_535))
    throw new Refusal(400, 'Bad Request: invalid port')
  return forward(request, () => server.kubelet.portForwardUrl(key, ports))
}

/** POST /run/{namespace}/{pod}/{container}?cmd=… */
export const run: Endpoint = async (request) => {
  const { key, container } = target(request)
  const { stdout, stderr, exitCode } = await request.server.kubelet.run(
    key,
    container,
    (request.url.searchParams.get('cmd') ?? '').split(' '),
  )
  const output = Buffer.concat([stdout, stderr])
  if (exitCode !== 0)
    throw new Refusal(
      500,
      `command '${request.url.searchParams.get('cmd')}' exited with ${exitCode}: ${output.toString()}`,
    )
  return { code: 200, contentType: 'text/plain; charset=utf-8', body: output }
}

function target({ params, server }: KubeletRequest) {
  const key = { namespace: params['namespace'] ?? '', name: params['pod'] ?? '' }
  const pod = server.kubelet.pod(key)
  if (!pod || (params['uid'] && pod.metadata.uid !== params['uid'])) throw new Refusal(404, 'pod does not exist')
  return { key, pod, container: params['container'] ?? '' }
}

function streamsOf(query: URLSearchParams): StreamOptions {
  const on = (name: string) => query.get(name) === '1'
  const tty = on('tty')
  const [stdin, stdout, stderr] = [on('input'), on('output'), on('error') && !tty]
  if (!stdin && !stdout && !stderr) throw new Refusal(400, 'you must specify at least 1 of stdin, stdout, stderr')
  return { stdin, stdout, stderr, tty }
}

async function forward({ upgrade, server }: KubeletRequest, address: () => Promise<string>): Promise<KubeletAnswer> {
  if (!upgrade) throw new Refusal(400, 'Upgrade request required')
  let url: URL
  try {
    url = new URL(await address())
  } catch (error) {
    throw new Refusal(500, error instanceof Error ? error.message : String(error))
  }
  await forwardUpgrade(upgrade, { origin: url, path: `${url.pathname}${url.search}`, without: ours })
  const { socket } = upgrade
  const close = () => endSoon(socket)
  server.closing.addEventListener('abort', close, { once: true })
  socket.once('close', () => server.closing.removeEventListener('abort', close))
  return 'taken'
}
