import { badRequest, notFound, serviceUnavailable } from '../../api/errors/api-error.ts'
import { endpoints, pods, services } from '../../api/generated/resources.ts'
import type { EndpointAddress } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { Target } from '../../streaming/upgrade/forward.ts'
import { textAnswer, type Answer } from '../answer/answer.ts'
import { UpgradeExchange } from '../http/upgrade-exchange.ts'
import type { KubeletClientOptions } from '../options.ts'
import type { Lookup } from '../registry/registry.ts'
import type { ResourceRequest } from '../request/api-request.ts'
import type { Core } from '../verbs/core.ts'
import type { SubresourceHandler } from '../verbs/dispatch.ts'
import { forwardedHeaders, giveBack, giveUpgrade, sendOn, unreachable } from './forward.ts'
import { kubeletTarget, originOf } from './kubelet-address.ts'
import { admitConnection } from './pod-streams.ts'
import { proxiedPage, proxiedUrl } from './rewrite.ts'

interface ProxyName {
  readonly scheme: 'http' | 'https'
  readonly name: string
  readonly port: string
}

/** 'https:web:8443': a scheme, a name and a port, of which only the name must be there. */
function partsOf(kind: string, id: string): ProxyName {
  const [first = '', second = '', third = '', ...more] = id.split(':')
  const colons = id.split(':').length - 1
  const [scheme, name, port] =
    colons === 0 ? ['', first, ''] : colons === 1 ? ['', first, second] : [first, second, third]
  if (name === '' || more.length > 0 || !['', 'http', 'https'].includes(scheme))
    throw badRequest(`invalid ${kind} request ${JSON.stringify(id)}`)
  return { scheme: scheme === 'https' ? 'https' : 'http', name, port }
}

/** Any request for a pod, sent on to it. */
export const podProxy: SubresourceHandler = async (core, request) => {
  await admitConnection(core, request)
  const { scheme, name, port } = partsOf('pod', request.info.name)
  const pod = core.registry.get(pods, { namespace: request.info.namespace, name })
  if (!pod) throw notFound(pods, name)
  const ip = pod.status?.podIP ?? ''
  if (!isReachable(ip)) throw badRequest('address not allowed')
  const first = pod.spec?.containers.flatMap(({ ports = [] }) => ports)[0]?.containerPort
  return relay(request, { origin: origin(scheme, ip, port || String(first ?? (scheme === 'https' ? 443 : 80))) })
}

/** Any request for a Service, sent on to one of its pods. */
export const serviceProxy: SubresourceHandler = async (core, request) => {
  await admitConnection(core, request)
  const { scheme, name, port } = partsOf('service', request.info.name)
  const { namespace } = request.info
  const service = core.registry.get(services, { namespace, name })
  if (!service) throw notFound(services, name)
  let portName = port
  if (/^\d+$/.test(port)) {
    const found = service.spec?.ports?.find((each) => each.port === Number(port))
    if (!found) throw serviceUnavailable(`no service port ${port} found for service ${JSON.stringify(name)}`)
    portName = found.name ?? ''
  }
  const endpoint = endpointOf(core, { namespace, name }, portName)
  if (!endpoint) throw serviceUnavailable(`no endpoints available for service ${JSON.stringify(request.info.name)}`)
  return relay(request, { origin: originOf(scheme, endpoint.host, endpoint.port) })
}

/** Any request for a node, sent on to its kubelet, or to the port that is named. */
export function nodeProxy(options: KubeletClientOptions | undefined): SubresourceHandler {
  return async (core, request) => {
    await admitConnection(core, request)
    const { scheme, name, port } = partsOf('node', request.info.name)
    const kubelet = kubeletTarget(core.registry, options, name)
    const host = kubelet.origin.hostname.replace(/^\[|\]$/g, '')
    if (!isReachable(host) && /^[\d.]+$|:/.test(host)) throw badRequest('address not allowed')
    return relay(
      request,
      port === '' || port === kubelet.origin.port ? kubelet : { origin: origin(scheme, host, port) },
    )
  }
}

function origin(scheme: 'http' | 'https', host: string, port: string): URL {
  if (!/^\d{1,5}$/.test(port)) throw unreachable(`dial tcp: address tcp/${port}: unknown port`)
  return originOf(scheme, host, port)
}

/** Loopback, link-local and unspecified addresses are the API server's own. */
const isReachable = (ip: string): boolean =>
  ip !== '' && !/^(127\.|169\.254\.|0\.0\.0\.0$|22[4-9]\.|23\d\.|255\.255\.255\.255$|::1?$|fe[89ab]|ff)/i.test(ip)

/** A ready address of a Service that is a pod's, at random. */
function endpointOf(
  { registry, random }: Core,
  key: { namespace: string; name: string },
  portName: string,
): { readonly host: string; readonly port: number } | undefined {
  const found = registry.get(endpoints, key)
  if (!found) throw notFound(endpoints, key.name)
  const choices = (found.subsets ?? []).flatMap(({ addresses = [], ports = [] }) => {
    const port = ports.find((each) => (each.name ?? '') === portName)?.port
    return port === undefined
      ? []
      : addresses.filter((address) => isPodAddress(registry, address)).map(({ ip }) => ({ host: ip, port }))
  })
  return choices[Math.floor(random.number() * choices.length)]
}

function isPodAddress(lookup: Lookup, { ip, targetRef }: Frozen<EndpointAddress>): boolean {
  if (targetRef?.kind !== 'Pod') return false
  const pod = lookup.get(pods, { namespace: targetRef.namespace, name: targetRef.name ?? '' })
  return pod?.status?.podIPs?.some((each) => each.ip === ip) ?? false
}

/** Answers with what a server says, whatever it says. */
async function relay({ exchange, info, method }: ResourceRequest, target: Target): Promise<Answer> {
  if (!exchange) throw badRequest('a proxied request needs a connection')
  const mark = exchange.target.indexOf('?')
  const query = mark < 0 ? '' : exchange.target.slice(mark)
  const path = `${info.rest || '/'}${query}`
  const prefix = info.rest ? info.path.slice(0, -info.rest.length) : info.path
  const added = { 'x-forwarded-uri': `${prefix}${info.rest}` }
  if (exchange instanceof UpgradeExchange) {
    await giveUpgrade(exchange, { ...target, path, added })
    return { type: 'taken' }
  }
  // Relative links of a page at the root only work below a path that ends with a slash.
  if (info.rest === '' && (method === 'GET' || method === 'HEAD'))
    return { ...textAnswer(301, '', 'text/html; charset=utf-8'), headers: ['location', `${info.path}/${query}`] }
  const declared = exchange.header('content-length') ?? exchange.header('transfer-encoding')
  const body =
    method === 'GET' || method === 'HEAD' || (exchange.protocol === 'HTTP/1.1' && declared === undefined)
      ? undefined
      : exchange.bodyStream()
  const answer = await sendOn(
    { target, method, path, headers: { ...forwardedHeaders(exchange), ...added }, exchange },
    body,
  )
  const at = { prefix, serverHost: target.origin.host, requestHost: exchange.header('host') ?? '' }
  await giveBack(exchange, answer, {
    location: (value) => proxiedUrl(value, at),
    html: (text) => proxiedPage(text, at),
  })
  return { type: 'taken' }
}
