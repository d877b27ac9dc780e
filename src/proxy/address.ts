import { BlockList, isIP } from 'node:net'

const kindOf = (address: string) => (isIP(address) === 4 ? 'ipv4' : 'ipv6')

/** An address in the one way of writing that nft compares by: the kernel has one element where 'FD00:0::1' and 'fd00::1' are two texts. */
export const canonicalAddress = (address: string): string =>
  isIP(address) === 6 ? new URL(`http://[${address}]`).hostname.slice(1, -1) : address

/** Whether a text is a block of addresses ('10.0.0.0/8') as nft takes it. */
export function isBlock(text: string): boolean {
  const [network = '', bits = '', ...more] = text.split('/')
  const family = isIP(network)
  return family !== 0 && more.length === 0 && /^\d{1,3}$/.test(bits) && Number(bits) <= (family === 4 ? 32 : 128)
}

/** Whether a block ('10.0.0.0/8') or single address has an address; not when they are of different families. */
export function blockHas(block: string, address: string): boolean {
  const [network = '', bits] = block.split('/')
  if (isIP(network) === 0 || isIP(network) !== isIP(address)) return false
  if (bits === undefined) return network === address
  const list = new BlockList()
  list.addSubnet(network, Number(bits), kindOf(network))
  return list.check(address, kindOf(address))
}

/** The blocks without those that lie in another: nft refuses overlapping elements. */
export function withoutNested(blocks: readonly string[]): string[] {
  const bitsOf = (block: string) => Number(block.split('/')[1] ?? 128)
  const kept: string[] = []
  for (const block of [...new Set(blocks)].sort((a, b) => bitsOf(a) - bitsOf(b))) {
    if (!kept.some((wider) => blockHas(wider, block.split('/')[0] ?? ''))) kept.push(block)
  }
  return kept
}
