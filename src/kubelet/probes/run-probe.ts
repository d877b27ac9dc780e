import type { Container, Pod, Probe } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { RuntimeError, type ContainerRuntime } from '../../runtime/runtime.ts'
import type { Dial } from '../host/host.ts'
import { headerList, portOf } from './handler.ts'

/** What a probe found, with what it heard. */
export interface ProbeFinding {
  readonly outcome: 'success' | 'warning' | 'failure' | 'unknown'
  readonly output: string
}

/** Whom to probe, and with what. */
export interface ProbeTarget {
  readonly runtime: ContainerRuntime
  readonly dial: Dial
  readonly pod: Frozen<Pod>
  readonly container: Frozen<Container>
  readonly containerId: string
  readonly podIp: string
}

/** How much of a command's or server's answer a message shows. */
const outputBytesMax = 10 * 1024

/** Runs a probe once. Rejects when it could not be run at all. */
export async function runProbe(probe: Frozen<Probe>, target: ProbeTarget): Promise<ProbeFinding> {
  const timeoutMs = (probe.timeoutSeconds ?? 1) * 1000
  if (probe.exec) return runExec(probe.exec.command ?? [], timeoutMs, target)
  if (probe.httpGet) return runHttp(probe, timeoutMs, target)
  if (probe.tcpSocket) {
    const { host, port } = probe.tcpSocket
    return finding(target.dial.tcp(host || target.podIp, portOf(port, target.container), timeoutMs))
  }
  if (probe.grpc) {
    const { port, service = '' } = probe.grpc
    try {
      const status = await target.dial.grpc(target.podIp, port, service, timeoutMs)
      return status === 'SERVING'
        ? { outcome: 'success', output: 'service healthy' }
        : { outcome: 'failure', output: `service unhealthy (responded with "${status}")` }
    } catch (error) {
      return { outcome: 'failure', output: (error as Error).message }
    }
  }
  throw new Error(
    `missing probe handler for ${target.pod.metadata.namespace}/${target.pod.metadata.name}:${target.container.name}`,
  )
}

async function finding(attempt: Promise<void>): Promise<ProbeFinding> {
  try {
    await attempt
    return { outcome: 'success', output: '' }
  } catch (error) {
    return { outcome: 'failure', output: (error as Error).message }
  }
}

async function runExec(
  command: readonly string[],
  timeoutMs: number,
  { runtime, containerId, container }: ProbeTarget,
): Promise<ProbeFinding> {
  const expanded = expandStatic(command, container)
  try {
    const { exitCode, stdout, stderr } = await runtime.execSync(containerId, expanded, timeoutMs)
    const output = Buffer.concat([stdout, stderr]).subarray(0, outputBytesMax).toString('utf8')
    return { outcome: exitCode === 0 ? 'success' : 'failure', output }
  } catch (error) {
    if (error instanceof RuntimeError && error.code === 'DeadlineExceeded')
      return {
        outcome: 'failure',
        output: `command timed out: ${JSON.stringify(expanded.join(' '))} timed out after ${timeoutMs / 1000}s`,
      }
    throw error
  }
}

/** `$(NAME)` stands for variables that the spec gives a plain value. */
function expandStatic(command: readonly string[], container: Frozen<Container>): string[] {
  const env = new Map(
    (container.env ?? []).filter(({ value }) => value !== undefined).map(({ name, value }) => [name, value!]),
  )
  return command.map((word) => word.replace(/\$\(([^)]+)\)/g, (whole, name: string) => env.get(name) ?? whole))
}

async function runHttp(
  probe: Frozen<Probe>,
  timeoutMs: number,
  { dial, container, podIp }: ProbeTarget,
): Promise<ProbeFinding> {
  const { host, path = '/', port, scheme = 'HTTP', httpHeaders } = probe.httpGet!
  const headers = headerList(httpHeaders, 'kube-probe')
  try {
    const answer = await dial.http({
      scheme: scheme === 'HTTPS' ? 'https' : 'http',
      host: host || podIp,
      port: portOf(port, container),
      path: path || '/',
      headers,
      timeoutMs,
    })
    if (answer.redirectedAway)
      return { outcome: 'warning', output: `Probe terminated redirects, Response body: ${answer.body}` }
    if (answer.status >= 200 && answer.status < 400) return { outcome: 'success', output: answer.body }
    return { outcome: 'failure', output: `HTTP probe failed with statuscode: ${answer.status}` }
  } catch (error) {
    return { outcome: 'failure', output: (error as Error).message }
  }
}
