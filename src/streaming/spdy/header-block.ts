import { deflateRawSync, inflateRawSync, constants } from 'node:zlib'

/** SPDY/3's preset dictionary: the names of HTTP/1.1 headers, each with its length before it, and then what is frequent in their values. */
const names =
  'options head post put delete trace accept accept-charset accept-encoding accept-language accept-ranges age allow authorization cache-control connection content-base content-encoding content-language content-length content-location content-md5 content-range content-type date etag expect expires from host if-match if-modified-since if-none-match if-range if-unmodified-since last-modified location max-forwards pragma proxy-authenticate proxy-authorization range referer retry-after server te trailer transfer-encoding upgrade user-agent vary via warning www-authenticate method get status 200_OK version HTTP/1.1 url public set-cookie keep-alive origin'
const values =
  '100101201202205206300302303304305306307402405406407408409410411412413414415416417502504505203 Non-Authoritative Information204 No Content301 Moved Permanently400 Bad Request401 Unauthorized403 Forbidden404 Not Found500 Internal Server Error501 Not Implemented503 Service UnavailableJan Feb Mar Apr May Jun Jul Aug Sept Oct Nov Dec 00:00:00 Mon, Tue, Wed, Thu, Fri, Sat, Sun, GMTchunked,text/html,image/png,image/jpg,image/gif,application/xml,application/xhtml+xml,text/plain,text/javascript,publicprivatemax-age=gzip,deflate,sdchcharset=utf-8charset=iso-8859-1,utf-,*,enq=0.'

let dictionary: Buffer | undefined

/** The dictionary's bytes. */
export function headerDictionary(): Buffer {
  dictionary ??= Buffer.concat([
    ...names.split(' ').flatMap((name) => [lengthOf(name), Buffer.from(name.replace('_', ' '))]),
    Buffer.from(values),
  ])
  return dictionary
}

function lengthOf(text: string): Buffer {
  const bytes = Buffer.alloc(4)
  bytes.writeUInt32BE(Buffer.byteLength(text))
  return bytes
}

/** What a zlib stream with this dictionary begins with: method and level, "preset dictionary", the dictionary's Adler-32. */
const streamHead = Buffer.from([0x78, 0xbb, 0xe3, 0xc6, 0xa7, 0xc2])
/** How far back deflate refers. */
const windowBytes = 32 * 1024
/** The most that the headers of one stream may unpack to. */
const headerBytesMax = 64 * 1024

/** Names (in lower case) and values. */
export type SpdyHeaders = Readonly<Record<string, string>>

/**
 * Header blocks of a connection are one zlib stream, flushed to a whole byte after each. All that such a stream remembers from one block to the next is the
 * last 32 KiB of its text, so every block can be packed and unpacked by itself, synchronously, with that text as its dictionary.
 */
abstract class HeaderStream {
  protected first = true
  #window: Buffer = headerDictionary()

  protected get window(): Buffer {
    return this.#window
  }

  protected remember(text: Buffer): void {
    this.first = false
    this.#window = Buffer.concat([this.#window, text]).subarray(-windowBytes)
  }
}

/** Packs the headers that one side sends. */
export class HeaderPacker extends HeaderStream {
  pack(headers: SpdyHeaders): Buffer {
    const text = encode(headers)
    const packed = deflateRawSync(text, { dictionary: this.window, finishFlush: constants.Z_SYNC_FLUSH })
    const block = this.first ? Buffer.concat([streamHead, packed]) : packed
    this.remember(text)
    return block
  }
}

/** Unpacks the headers that the other side sends. Throws on what is no header block, or too large. */
export class HeaderUnpacker extends HeaderStream {
  unpack(block: Buffer): SpdyHeaders {
    if (
      this.first &&
      (block.length < streamHead.length ||
        (block[0]! & 0x0f) !== 8 ||
        !block.subarray(2, 6).equals(streamHead.subarray(2)))
    )
      throw new Error('SPDY: the header block does not begin with the preset dictionary')
    const packed = this.first ? block.subarray(streamHead.length) : block
    const text = inflateRawSync(packed, {
      dictionary: this.window,
      finishFlush: constants.Z_SYNC_FLUSH,
      maxOutputLength: headerBytesMax,
    })
    this.remember(text)
    return decode(text)
  }
}

function encode(headers: SpdyHeaders): Buffer {
  const entries = Object.entries(headers)
  const parts: Buffer[] = []
  const count = Buffer.alloc(4)
  count.writeUInt32BE(entries.length)
  parts.push(count)
  for (const [name, value] of entries)
    parts.push(lengthOf(name), Buffer.from(name.toLowerCase()), lengthOf(value), Buffer.from(value))
  return Buffer.concat(parts)
}

function decode(text: Buffer): SpdyHeaders {
  let at = 0
  const number = () => {
    if (at + 4 > text.length) throw new Error('SPDY: the header block is cut off')
    at += 4
    return text.readUInt32BE(at - 4)
  }
  const string = () => {
    const length = number()
    if (at + length > text.length) throw new Error('SPDY: the header block is cut off')
    at += length
    return text.toString('utf8', at - length, at)
  }
  const headers: Record<string, string> = Object.create(null) as Record<string, string>
  for (let left = number(); left > 0; left--) {
    const name = string().toLowerCase()
    headers[name] = string()
  }
  return headers
}
