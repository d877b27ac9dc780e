import type { Logger } from '../../base/log.ts'
import type { ProxyHealth } from './health.ts'
import { answerJson, listenHttp } from './server.ts'
import type { ListeningServer } from './server.ts'

/** A Service with external traffic policy Local: load balancers ask each node whether it has endpoints. */
export interface ServiceCheck {
  readonly namespace: string
  readonly name: string
  readonly port: number
  /** Ready endpoints on this node. */
  readonly localEndpoints: number
}

interface Running {
  check: ServiceCheck
  readonly server: Promise<ListeningServer | undefined>
}

/** The health check node ports: a server for each. */
export class ServiceHealthServers {
  readonly #log: Logger
  readonly #health: ProxyHealth
  readonly #host: string
  readonly #running = new Map<string, Running>()

  constructor(options: { readonly log: Logger; readonly health: ProxyHealth; readonly host: string }) {
    this.#log = options.log
    this.#health = options.health
    this.#host = options.host
  }

  /** Brings a Service's server in line; undefined ends it. A port that is taken is logged: the proxy goes on without. */
  set(service: string, check: ServiceCheck | undefined): void {
    const running = this.#running.get(service)
    if (running && running.check.port === check?.port) {
      running.check = check
      return
    }
    if (running) {
      this.#running.delete(service)
      void this.#end(running)
    }
    if (!check) return
    const begun: Running = { check, server: this.#start(service, check, running) }
    this.#running.set(service, begun)
  }

  async close(): Promise<void> {
    const all = [...this.#running.values()]
    this.#running.clear()
    await Promise.all(all.map((running) => this.#end(running)))
  }

  async #start(
    service: string,
    { port }: ServiceCheck,
    before: Running | undefined,
  ): Promise<ListeningServer | undefined> {
    try {
      if (before) await this.#end(before)
      return await listenHttp({ host: this.#host, port }, (_request, response) => {
        const check = this.#running.get(service)?.check
        if (!check) return void response.writeHead(404).end()
        const healthy = check.localEndpoints > 0 && this.#health.healthy
        answerJson(response, healthy ? 200 : 503, bodyOf(check, this.#health.healthy), {
          'X-Load-Balancing-Endpoint-Weight': String(check.localEndpoints),
        })
      })
    } catch (error) {
      this.#log.error({ err: error, service, port }, 'the health check node port cannot be opened')
      return undefined
    }
  }

  async #end({ server }: Running): Promise<void> {
    await (await server)?.close()
  }
}

const bodyOf = ({ namespace, name, localEndpoints }: ServiceCheck, serviceProxyHealthy: boolean): string =>
  JSON.stringify({ service: { namespace, name }, localEndpoints, serviceProxyHealthy }, undefined, '\t')
