import { isIPv4 } from 'node:net'

const v4Suffix = '.in-addr.arpa'
const v6Suffix = '.ip6.arpa'

/** The address that a reverse name asks for ('1.0.96.10.in-addr.arpa'), as the API writes addresses; undefined when it is no whole one. */
export function addressOfReverseName(name: string): string | undefined {
  if (name.endsWith(v4Suffix)) {
    const address = name.slice(0, -v4Suffix.length).split('.').reverse().join('.')
    return isIPv4(address) ? address : undefined
  }
  if (!name.endsWith(v6Suffix)) return undefined
  const digits = name.slice(0, -v6Suffix.length).split('.').reverse()
  if (digits.length !== 32 || digits.some((digit) => !/^[0-9a-f]$/.test(digit))) return undefined
  const groups = Array.from({ length: 8 }, (_, i) => digits.slice(i * 4, i * 4 + 4).join(''))
  // The URL parser knows the one right way to write an IPv6 address.
  return new URL(`http://[${groups.join(':')}]`).hostname.slice(1, -1)
}

/** Whether a name is one of the reverse zones'. */
export const isReverseName = (name: string): boolean => name.endsWith(v4Suffix) || name.endsWith(v6Suffix)
