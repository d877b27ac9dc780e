/** The addresses of an IPv4 range, one after the other, without its first (the network) and second (the gateway); from the beginning again at its end. */
export function* ipsIn(cidr: string): Generator<string> {
  const [base = '0.0.0.0', bits = '16'] = cidr.split('/')
  const start = base.split('.').reduce((number, part) => number * 256 + Number(part), 0)
  const size = 2 ** (32 - Number(bits))
  for (let at = 2; ; at = at + 1 < size - 1 ? at + 1 : 2)
    yield [24, 16, 8, 0].map((shift) => Math.floor((start + at) / 2 ** shift) % 256).join('.')
}
