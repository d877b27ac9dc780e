import { createWebSocketStream } from 'ws'
import { askForSpdy, type UpgradeAnswer, type UpgradeAsk } from '../upgrade/ask.ts'
import { join, type Upgrade } from '../upgrade/upgrade.ts'
import { acceptWebSocket } from './websocket.ts'

/** What a tunnelled protocol's name begins with: `SPDY/3.1+portforward.k8s.io`. */
const tunnelPrefix = 'SPDY/3.1+'

/** The SPDY protocols that a WebSocket client wants to speak inside of its messages. */
export const tunnelledProtocols = (offered: readonly string[]): readonly string[] =>
  offered
    .filter((name) => name.startsWith(tunnelPrefix) && name.endsWith('.k8s.io'))
    .map((name) => name.slice(tunnelPrefix.length))

/**
 * Carries a SPDY connection in a WebSocket: its messages are the connection's bytes, in any pieces. Returns the server's refusal when it does not switch; then
 * the client has not been answered yet.
 */
export async function tunnelSpdy(
  upgrade: Upgrade,
  ask: UpgradeAsk,
): Promise<Extract<UpgradeAnswer, { switched: false }> | undefined> {
  const answer = await askForSpdy(ask)
  if (!answer.switched) return answer
  try {
    const webSocket = await acceptWebSocket(upgrade, `${tunnelPrefix}${answer.protocol}`)
    const stream = createWebSocketStream(webSocket)
    if (answer.head.length > 0) stream.write(answer.head)
    join(stream, answer.socket)
  } catch (error) {
    answer.socket.destroy()
    throw error
  }
  return undefined
}
