import type { Readable } from 'node:stream'
import { BodyAbortedError, BodyTooLargeError } from './exchange.ts'
import type { Turns } from './turns.ts'

const nothing = Buffer.alloc(0)

/** How a body is read. */
export interface BodyOptions {
  readonly bytesMax: number
  /** Its content length, when it was given. */
  readonly declaredBytes: number | undefined
  /** When what is read may be worked on. */
  readonly turns: Turns
}

/** Reads a body to its end, in one buffer. */
export function readBody(source: Readable, { bytesMax, declaredBytes, turns }: BodyOptions): Promise<Buffer> {
  if (declaredBytes === 0) return Promise.resolve(nothing)
  return new Promise((resolve, reject) => {
    if (declaredBytes !== undefined && declaredBytes > bytesMax) return reject(new BodyTooLargeError())
    let first: Buffer | undefined
    let more: Buffer[] | undefined
    let total = 0
    source.on('data', (chunk: Buffer) => {
      total += chunk.length
      if (total > bytesMax) {
        source.removeAllListeners('data')
        source.resume()
        return reject(new BodyTooLargeError())
      }
      if (first === undefined) first = chunk
      else (more ??= [first]).push(chunk)
    })
    let ended = false
    source.on('end', () => {
      ended = true
      turns.enter(total, () => resolve(more ? Buffer.concat(more, total) : (first ?? nothing)))
    })
    source.on('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'ECONNRESET' ? new BodyAbortedError('the client went away', { cause: error }) : error),
    )
    // Making an error costs more than reading the body, and every stream closes.
    source.on('close', () => ended || reject(new BodyAbortedError('the client went away')))
  })
}
