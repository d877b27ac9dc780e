import type { Container, LifecycleHandler, Pod } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import type { Clock } from '../../base/clock.ts'
import type { ContainerRuntime } from '../../runtime/runtime.ts'
import type { Dial } from '../host/host.ts'
import { headerList, portOf } from '../probes/handler.ts'

/** What hooks work with. */
export interface HookServices {
  readonly runtime: ContainerRuntime
  readonly clock: Clock
  readonly dial: Dial
}

/** Whose hook it is. */
export interface HookSubject {
  readonly pod: Frozen<Pod>
  readonly container: Frozen<Container>
  readonly containerId: string
  readonly podIp: string
}

/** An HTTP hook's time limit: upstream's client waits this long. */
const httpTimeoutMs = 30_000

/** Runs a lifecycle hook to its end. Rejects with what went wrong, for the log: an event must not show it. */
export async function runHook(
  handler: Frozen<LifecycleHandler>,
  subject: HookSubject,
  services: HookServices,
): Promise<void> {
  const { container, containerId, podIp } = subject
  if (handler.exec) {
    const { exitCode, stdout, stderr } = await services.runtime.execSync(containerId, handler.exec.command ?? [], 0)
    if (exitCode !== 0) {
      const output = Buffer.concat([stdout, stderr]).toString('utf8')
      throw new Error(
        `Exec lifecycle hook (${handler.exec.command?.join(' ')}) for Container "${container.name}" failed - error: command exited with ${exitCode}, message: ${JSON.stringify(output)}`,
      )
    }
  } else if (handler.httpGet) {
    const { host, path = '/', port, scheme = 'HTTP', httpHeaders } = handler.httpGet
    const request = {
      host: host || podIp,
      port: portOf(port, container),
      path,
      headers: headerList(httpHeaders, 'kube-lifecycle'),
      timeoutMs: httpTimeoutMs,
    }
    // A server that answers in plain HTTP to HTTPS is asked so: hooks of old took every scheme for HTTP.
    const answer = await services.dial
      .http({ ...request, scheme: scheme === 'HTTPS' ? 'https' : 'http' })
      .catch((error: Error) => {
        if (scheme !== 'HTTPS' || !/wrong version number|packet length too long/i.test(error.message)) throw error
        return services.dial.http({ ...request, scheme: 'http' })
      })
    if (answer.status >= 400)
      throw new Error(
        `HTTP lifecycle hook (${path}) for Container "${container.name}" failed - error: HTTP status ${answer.status}`,
      )
  } else if (handler.tcpSocket) {
    await services.dial.tcp(handler.tcpSocket.host || podIp, portOf(handler.tcpSocket.port, container), httpTimeoutMs)
  } else if (handler.sleep) {
    await services.clock.sleep(handler.sleep.seconds * 1000)
  } else {
    throw new Error(`invalid handler: ${JSON.stringify(handler)}`)
  }
}
