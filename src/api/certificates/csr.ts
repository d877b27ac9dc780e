import { createPublicKey, verify, X509Certificate } from 'node:crypto'

/** One element of a DER structure. */
interface Element {
  readonly tag: number
  /** With its head, as it stands in the whole. */
  readonly whole: Buffer
  readonly body: Buffer
}

const sequenceTag = 0x30
const bitStringTag = 0x03

/** Digests by the last bytes of the signature algorithm's identifier. */
const digests = new Map<string, string | null>([
  ['2a864886f70d010105', 'sha1'],
  ['2a864886f70d01010b', 'sha256'],
  ['2a864886f70d01010c', 'sha384'],
  ['2a864886f70d01010d', 'sha512'],
  ['2a8648ce3d040302', 'sha256'],
  ['2a8648ce3d040303', 'sha384'],
  ['2a8648ce3d040304', 'sha512'],
  ['2b6570', null],
])

/** The elements of a constructed one. */
function elements(body: Buffer): Element[] {
  const found: Element[] = []
  for (let at = 0; at < body.length;) {
    const tag = body[at] ?? 0
    const first = body[at + 1]
    if (first === undefined) throw new RangeError('asn1: syntax error: truncated tag or length')
    const wide = first & 0x80 ? first & 0x7f : 0
    if (wide > 4) throw new RangeError('asn1: structure error: length too large')
    const head = 2 + wide
    const length = wide ? body.readUIntBE(at + 2, wide) : first
    if (at + head + length > body.length) throw new RangeError('asn1: syntax error: data truncated')
    found.push({
      tag,
      whole: body.subarray(at, at + head + length),
      body: body.subarray(at + head, at + head + length),
    })
    at += head + length
  }
  return found
}

/** The elements of the only element, which must be a sequence. */
function sequence(der: Buffer | undefined, size: number): Element[] {
  const [only, more] = elements(der ?? Buffer.alloc(0))
  if (!only || more || only.tag !== sequenceTag) throw new RangeError("asn1: structure error: tags don't match")
  const parts = elements(only.body)
  if (parts.length < size) throw new RangeError('asn1: structure error: sequence truncated')
  return parts
}

/** The bytes of the first PEM block and what kind it says it is. */
export function pemBlock(
  text: string,
): { readonly type: string; readonly der: Buffer; readonly headers: boolean; readonly rest: string } | undefined {
  const match = /(?:^|\n)-----BEGIN ([^\n]*?)-----[ \t\r]*\n([\s\S]*?)-----END \1-----[ \t\r]*(?:\n|$)/.exec(text)
  if (!match) return undefined
  const [all, type = '', body = ''] = match
  return {
    type,
    der: Buffer.from(body.replace(/^[^\n]*:[^\n]*\n/gm, ''), 'base64'),
    headers: /^[^\n]*:/m.test(body),
    rest: text.slice(match.index + all.length),
  }
}

/** What is wrong with a certificate request (base64 of PEM): it must be one, and be signed by the key that it is for. */
export function requestProblem(request: string | undefined): string | undefined {
  const block = pemBlock(Buffer.from(request ?? '', 'base64').toString('latin1'))
  if (block?.type !== 'CERTIFICATE REQUEST') return 'PEM block type must be CERTIFICATE REQUEST'
  try {
    return signatureProblem(block.der)
  } catch (error) {
    // Whatever its bytes are, they are no certificate request.
    return error instanceof Error ? error.message : String(error)
  }
}

function signatureProblem(der: Buffer): string | undefined {
  const [info, algorithm, signature] = sequence(der, 3)
  const key = sequence(info?.whole, 3)[2]
  const identifier = sequence(algorithm?.whole, 1)[0]?.body.toString('hex') ?? ''
  const digest = digests.get(identifier)
  if (digest === undefined) return 'x509: cannot verify signature: algorithm unimplemented'
  if (!info || !key || signature?.tag !== bitStringTag) return "asn1: structure error: tags don't match"
  const publicKey = createPublicKey({ key: key.whole, format: 'der', type: 'spki' })
  return verify(digest, info.whole, publicKey, signature.body.subarray(1))
    ? undefined
    : 'x509: signature does not match the key'
}

/** What is wrong with a chain of certificates (base64 of PEM). */
export function certificateProblem(certificate: string | undefined): string | undefined {
  if (!certificate) return undefined
  let rest = Buffer.from(certificate, 'base64').toString('latin1')
  let blocks = 0
  for (let block = pemBlock(rest); block; block = pemBlock(rest)) {
    if (block.type !== 'CERTIFICATE')
      return `only CERTIFICATE PEM blocks are allowed, found ${JSON.stringify(block.type)}`
    if (block.headers) return 'no PEM block headers are permitted'
    try {
      new X509Certificate(block.der)
    } catch {
      return 'x509: malformed certificate'
    }
    blocks++
    rest = block.rest
  }
  return blocks === 0 ? 'must contain at least one CERTIFICATE PEM block' : undefined
}
