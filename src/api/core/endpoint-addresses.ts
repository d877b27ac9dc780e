import type { FieldErrors, FieldPath } from '../validation/field.ts'
import { parseIp } from '../validation/ips.ts'

/** Addresses to which traffic can be sent: not everything that an address may stand for. */
export function checkEndpointIp(text: string, at: FieldPath, errors: FieldErrors): void {
  const ip = parseIp(text)
  if (!ip) return errors.invalid(at, text, 'must be a valid IP address')
  const [a = 0, b = 0, c = 0] = ip.bytes
  const v4 = ip.bytes.length === 4
  const zeros = (bytes: readonly number[]) => bytes.every((byte) => byte === 0)
  if (zeros(ip.bytes)) errors.invalid(at, text, `may not be unspecified (${text})`)
  if (v4 ? a === 127 : zeros(ip.bytes.slice(0, 15)) && ip.bytes[15] === 1)
    errors.invalid(at, text, 'may not be in the loopback range (127.0.0.0/8, ::1/128)')
  if (v4 ? a === 169 && b === 254 : a === 0xfe && (b & 0xc0) === 0x80)
    errors.invalid(at, text, 'may not be in the link-local range (169.254.0.0/16, fe80::/10)')
  if (v4 ? a === 224 && b === 0 && c === 0 : a === 0xff && (b & 0x0f) === 2)
    errors.invalid(at, text, 'may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)')
}
