import type { WebSocket } from 'ws'
import { UpgradeError } from '../upgrade/forward.ts'
import type { Upgrade } from '../upgrade/upgrade.ts'

/** The largest message that is taken. */
const messageBytesMax = 16 << 20

/**
 * Completes a WebSocket's handshake with this subprotocol, one that the client offers ('': none). Rejects when the request is no proper handshake; the client has been told
 * then. The names of tunnelled protocols hold a slash, which no token may: so `ws` does not get to see what is offered, and the answer's header is added here.
 */
export async function acceptWebSocket({ request, socket, head }: Upgrade, protocol: string): Promise<WebSocket> {
  const { WebSocketServer } = await import('ws')
  const server = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    maxPayload: messageBytesMax,
  })
  if (protocol) server.on('headers', (headers) => headers.push(`Sec-WebSocket-Protocol: ${protocol}`))
  const { 'sec-websocket-protocol': _offered, ...headers } = request.headers
  const asked = Object.create(request, { headers: { value: headers } }) as typeof request
  return new Promise((resolve, reject) => {
    server.once('wsClientError', (error) => {
      socket.end(
        `HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${error.message}\n`,
      )
      reject(error)
    })
    // A client that is gone before the answer is not told of by `ws`.
    const left = () => reject(new UpgradeError('the client has gone'))
    if (socket.destroyed) return left()
    socket.once('close', left)
    server.handleUpgrade(asked, socket, head, (webSocket) => {
      socket.removeListener('close', left)
      resolve(webSocket)
    })
  })
}

/** Sends bytes on a channel: a message whose first byte is the channel's number. Resolves when there is room for more. */
export function sendOn(webSocket: WebSocket, channel: number, data: Uint8Array): Promise<void> {
  return new Promise((resolve) =>
    webSocket.send(Buffer.concat([Buffer.from([channel]), data]), { binary: true }, () => resolve()),
  )
}
