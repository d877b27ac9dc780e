import { CommandError } from '../base/command.ts'
import type { RunCommand } from '../base/command.ts'
import type { Family } from './config.ts'
import type { Endpoint } from './endpoint.ts'
import type { ServicePort } from './service-port.ts'

/** A UDP Service port with all of its serving endpoints, whatever policies say. */
export interface UdpService {
  readonly port: ServicePort
  readonly serving: readonly Endpoint[]
}

/** A tracked flow: where it was sent, and who answers. */
interface Flow {
  readonly destination: string
  readonly destinationPort: number
  readonly replySource: string
  readonly replySourcePort: number
}

/** The tool is not installed: stale UDP flows end by their own timeout (30 s to 3 min without a packet). */
export class ConntrackMissing extends Error {
  override name = 'ConntrackMissing'
}

/**
 * UDP has no end of a connection: a client that keeps sending from one port stays with an endpoint that is gone. Forgets the tracked flows to
 * these Services that lead to none of their serving endpoints. Gives how many.
 */
export async function forgetStaleFlows(
  run: RunCommand,
  family: Family,
  services: readonly UdpService[],
): Promise<number> {
  const byAddress = new Map<string, ReadonlySet<string>>()
  const byNodePort = new Map<number, ReadonlySet<string>>()
  for (const { port, serving } of services) {
    if (serving.length === 0) continue
    const endpoints = new Set(serving.map((endpoint) => `${endpoint.address} ${endpoint.port}`))
    for (const address of [port.clusterIp, ...port.externalIps, ...port.loadBalancerIps])
      byAddress.set(`${address} ${port.port}`, endpoints)
    if (port.nodePort !== 0) byNodePort.set(port.nodePort, endpoints)
  }
  if (byAddress.size === 0) return 0
  let forgotten = 0
  for (const flow of await listFlows(run, family)) {
    const endpoints =
      byAddress.get(`${flow.destination} ${flow.destinationPort}`) ?? byNodePort.get(flow.destinationPort)
    if (!endpoints || endpoints.has(`${flow.replySource} ${flow.replySourcePort}`)) continue
    await conntrack(run, [
      '-D',
      '-f',
      ipVersion(family),
      '-p',
      'udp',
      '--orig-dst',
      flow.destination,
      '--orig-port-dst',
      String(flow.destinationPort),
      '--reply-src',
      flow.replySource,
      '--reply-port-src',
      String(flow.replySourcePort),
    ])
    forgotten++
  }
  return forgotten
}

const ipVersion = (family: Family) => (family === 'ip' ? 'ipv4' : 'ipv6')

async function listFlows(run: RunCommand, family: Family): Promise<Flow[]> {
  const flows = new Map<string, Flow>()
  for (const line of (await conntrack(run, ['-L', '-f', ipVersion(family), '-p', 'udp'])).split('\n')) {
    const flow = parseFlow(line)
    if (flow) flows.set(JSON.stringify(flow), flow)
  }
  return [...flows.values()]
}

/** 'udp 17 29 src=10.0.0.1 dst=10.96.0.10 sport=4242 dport=53 [UNREPLIED] src=10.244.0.2 dst=10.0.0.1 sport=53 dport=4242 mark=0 use=1' */
export function parseFlow(line: string): Flow | undefined {
  const found = /dst=(\S+) sport=\d+ dport=(\d+) .*?src=(\S+) dst=\S+ sport=(\d+)/.exec(line)
  if (!found) return undefined
  return {
    destination: found[1]!,
    destinationPort: Number(found[2]),
    replySource: found[3]!,
    replySourcePort: Number(found[4]),
  }
}

async function conntrack(run: RunCommand, args: readonly string[]): Promise<string> {
  try {
    return (await run({ file: 'conntrack', args })).stdout
  } catch (error) {
    // Nothing to delete is what was wanted.
    if (error instanceof CommandError && error.stderr.includes('0 flow entries')) return ''
    if (error instanceof CommandError && (error.exitCode === undefined || error.exitCode === 127))
      throw new ConntrackMissing('the program conntrack is not installed', { cause: error })
    throw error
  }
}
