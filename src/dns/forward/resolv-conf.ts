import { readFile } from 'node:fs/promises'
import { isIP } from 'node:net'

/** A resolver to ask. */
export interface Upstream {
  readonly address: string
  readonly port: number
}

/** As many as the C library reads. */
const nameserversMax = 3

/** The resolvers of a resolv.conf; none when there is no such file. */
export async function readUpstreams(path = '/etc/resolv.conf'): Promise<Upstream[]> {
  const text = await readFile(path, 'utf8').catch(() => '')
  return parseResolvConf(text)
}

/** The `nameserver` lines. */
export function parseResolvConf(text: string): Upstream[] {
  return text
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .flatMap(([word, address = '']) =>
      word === 'nameserver' && isIP(address.split('%')[0] ?? '') !== 0 ? [{ address, port: 53 }] : [],
    )
    .slice(0, nameserversMax)
}
