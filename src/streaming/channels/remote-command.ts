import type { Duplex } from 'node:stream'
import type { RawData, WebSocket } from 'ws'
import type { Clock } from '../../base/clock.ts'
import { SpdyConnection, type SpdyStream } from '../spdy/connection.ts'
import { askForSpdy, type UpgradeAsk } from '../upgrade/ask.ts'
import { endSoon, type Upgrade } from '../upgrade/upgrade.ts'
import { acceptWebSocket, sendOn } from './websocket.ts'

/** The subprotocol whose clients can half-close their input; what kubectl speaks since 1.31. */
export const remoteCommandV5 = 'v5.channel.k8s.io'
/** What SPDY servers of exec and attach speak. */
const remoteCommandV4 = 'v4.channel.k8s.io'

/** The channels of a remote command's WebSocket. */
const channels = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const

/** Which streams a session has. */
export interface SessionStreams {
  readonly stdin: boolean
  readonly stdout: boolean
  readonly stderr: boolean
  readonly tty: boolean
}

/** A session to translate. */
export interface RemoteCommand {
  readonly clock: Clock
  readonly streams: SessionStreams
  /** Where the SPDY server is. */
  readonly server: Omit<UpgradeAsk, 'protocols'>
}

/** As upstream's client: so often the SPDY connection is pinged. */
const pingEveryMs = 5000

/**
 * Serves an exec or attach session to a WebSocket client (v5) from a SPDY server. Each channel is a stream; the fifth version's one addition is the close
 * signal, which becomes the half-close of a stream. Resolves when the session is over.
 */
export async function translateRemoteCommand(upgrade: Upgrade, command: RemoteCommand): Promise<void> {
  const { streams, server } = command
  const webSocket = await acceptWebSocket(upgrade, remoteCommandV5)
  webSocket.on('error', () => webSocket.terminate())
  // What the client sends before the session is there has to wait.
  webSocket.pause()
  // Says that the session is there, before anything is written.
  await sendOn(
    webSocket,
    streams.stdout ? channels.stdout : streams.stderr ? channels.stderr : channels.error,
    Buffer.alloc(0),
  )
  let status: Buffer
  try {
    const answer = await askForSpdy({ ...server, protocols: [remoteCommandV4] })
    status = answer.switched ? await carry(webSocket, answer, command) : refusal(answer.body)
  } catch (error) {
    status = internalError(error instanceof Error ? error.message : String(error))
  }
  await sendOn(webSocket, channels.error, status)
  // The client's answer to the close has to be read.
  webSocket.resume()
  webSocket.close(1000)
}

/** Carries the session; gives the status with which it ended. */
async function carry(
  webSocket: WebSocket,
  { socket, head }: { socket: Duplex; head: Buffer },
  { streams, clock }: RemoteCommand,
): Promise<Buffer> {
  const connection = new SpdyConnection(socket, { side: 'client' })
  let cancelPing = (): void => {}
  const pingLater = () => {
    cancelPing = clock.after(pingEveryMs, () => {
      connection.ping()
      pingLater()
    })
  }
  pingLater()
  webSocket.once('close', () => socket.destroy())
  if (webSocket.readyState !== webSocket.OPEN) socket.destroy()
  // The error stream comes first, as servers expect the streams in any order but await each of them.
  const error = connection.open({ streamtype: 'error' })
  const stdin = streams.stdin ? connection.open({ streamtype: 'stdin' }) : undefined
  const stdout = streams.stdout ? connection.open({ streamtype: 'stdout' }) : undefined
  const stderr = streams.stderr && !streams.tty ? connection.open({ streamtype: 'stderr' }) : undefined
  const resize = streams.tty ? connection.open({ streamtype: 'resize' }) : undefined
  if (head.length > 0) connection.receive(head)
  takeInput(webSocket, stdin, resize)
  // What the server writes where nothing belongs.
  stdin?.resume()
  try {
    const [text] = await Promise.all([
      read(error),
      stdout && output(stdout, webSocket, channels.stdout),
      stderr && output(stderr, webSocket, channels.stderr),
    ])
    if (text.length > 0) return text
    return error.cut ? internalError('error reading from error stream: unexpected EOF') : success
  } finally {
    cancelPing()
    connection.close()
    endSoon(socket)
  }
}

/** The client's messages, onto the streams. Nothing more is taken while the input is behind. */
function takeInput(webSocket: WebSocket, stdin: SpdyStream | undefined, resize: SpdyStream | undefined): void {
  stdin?.on('drain', () => webSocket.resume())
  stdin?.on('close', () => webSocket.resume())
  webSocket.on('message', (raw: RawData) => {
    const message = asBuffer(raw)
    const data = message.subarray(1)
    switch (message[0]) {
      case channels.stdin:
        if (stdin?.writable && data.length > 0 && !stdin.write(data)) webSocket.pause()
        return
      case channels.resize:
        if (resize?.writable && data.length > 0) resize.write(data)
        return
      case channels.close:
        if (data[0] === channels.stdin && stdin?.writable) stdin.end()
        return
      default:
      // Other channels are for the other direction.
    }
  })
  webSocket.resume()
}

const asBuffer = (raw: RawData): Buffer =>
  Array.isArray(raw) ? Buffer.concat(raw) : Buffer.isBuffer(raw) ? raw : Buffer.from(raw)

async function output(stream: SpdyStream, webSocket: WebSocket, channel: number): Promise<void> {
  for await (const chunk of stream as AsyncIterable<Buffer>) await sendOn(webSocket, channel, chunk)
}

async function read(stream: SpdyStream): Promise<Buffer> {
  const parts: Buffer[] = []
  for await (const part of stream as AsyncIterable<Buffer>) parts.push(part)
  return Buffer.concat(parts)
}

const success = Buffer.from(JSON.stringify({ metadata: {}, status: 'Success' }))

/** The server did not switch: a Status is passed on, a text becomes one. */
function refusal(body: string): Buffer {
  try {
    if ((JSON.parse(body) as { kind?: string }).kind === 'Status') return Buffer.from(body)
  } catch {
    // A plain text: the usual form of the kubelet's refusals.
  }
  return internalError(`unable to upgrade connection: ${body.trim()}`)
}

const internalError = (message: string): Buffer =>
  Buffer.from(
    JSON.stringify({
      metadata: {},
      status: 'Failure',
      message: `Internal error occurred: ${message}`,
      reason: 'InternalError',
      details: { causes: [{ message }] },
      code: 500,
    }),
  )
