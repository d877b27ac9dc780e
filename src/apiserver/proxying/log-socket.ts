import { once } from 'node:events'
import { acceptWebSocket } from '../../streaming/channels/websocket.ts'
import { webSocketProtocols } from '../../streaming/upgrade/upgrade.ts'
import type { UpgradeExchange } from '../http/upgrade-exchange.ts'

/** The subprotocol whose messages are text, for clients that cannot read bytes. */
const base64Protocol = 'base64.binary.k8s.io'
const protocols: readonly string[] = ['binary.k8s.io', base64Protocol]

/** Whether a request wants its answer as messages of a WebSocket. */
export const wantsWebSocket = (exchange: UpgradeExchange): boolean => webSocketProtocols(exchange.request) !== undefined

/** Gives bytes on as messages of a WebSocket, after an empty one, as upstream does; then closes it. */
export async function bytesOverWebSocket(exchange: UpgradeExchange, bytes: AsyncIterable<Buffer>): Promise<void> {
  const offered = webSocketProtocols(exchange.request) ?? []
  const protocol = offered.find((name) => protocols.includes(name)) ?? ''
  exchange.taken(101)
  const webSocket = await acceptWebSocket(exchange, protocol)
  webSocket.on('error', () => webSocket.terminate())
  const send = (chunk: Buffer) =>
    new Promise<void>((resolve) =>
      webSocket.send(
        protocol === base64Protocol ? chunk.toString('base64') : chunk,
        { binary: protocol !== base64Protocol },
        () => resolve(),
      ),
    )
  await send(Buffer.alloc(0))
  try {
    for await (const chunk of bytes) {
      if (webSocket.readyState !== webSocket.OPEN) break
      await send(chunk)
    }
    webSocket.close(1000)
    if (webSocket.readyState !== webSocket.CLOSED) await once(webSocket, 'close')
  } catch {
    // Whoever sends broke off.
    webSocket.terminate()
  }
}
