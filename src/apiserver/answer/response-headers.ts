import type { Clock } from '../../base/clock.ts'
import type { FlatHeaders } from '../http/exchange.ts'

/** The headers that all answers of one request have. */
export class ResponseHeaders {
  readonly #auditId: string
  readonly #date: string
  /** More of them, that the request's handling adds. */
  readonly extra: string[] = []

  constructor(auditId: string, date: string) {
    this.#auditId = auditId
    this.#date = date
  }

  /** With the type of the body, and warnings. Answers are the asker's, and as of now, unless they say otherwise. */
  of(warnings: readonly string[], contentType: string, cacheControl = 'no-cache, private'): FlatHeaders {
    const headers = [
      'audit-id',
      this.#auditId,
      'cache-control',
      cacheControl,
      'content-type',
      contentType,
      'date',
      this.#date,
    ]
    if (this.extra.length > 0) headers.push(...this.extra)
    for (const text of warnings) headers.push('warning', warningText(text))
    return headers
  }
}

/** How much of a warning is sent. */
const warningLengthMax = 256

/** A Warning header: code 299, no agent, the text quoted and on one line. */
function warningText(text: string): string {
  const plain = [...text.replace(/[\u0000-\u001f\u007f]+/g, ' ')].slice(0, warningLengthMax * 4).join('')
  const quoted = plain.replace(/["\\]/g, (sign) => `\\${sign}`)
  return `299 - "${Buffer.from(quoted).toString('latin1')}"`
}

/** The Date header's text, made anew once a second. */
export function dateText(clock: Clock): () => string {
  let second = -1
  let text = ''
  return () => {
    const now = Math.floor(clock.now() / 1000)
    if (now !== second) {
      second = now
      text = new Date(now * 1000).toUTCString()
    }
    return text
  }
}
