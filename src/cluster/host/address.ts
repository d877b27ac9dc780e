import { networkInterfaces } from 'node:os'

/** The machine's own IPv4 address on its network: the first that is neither of the loopback nor of a link alone. */
export const machineAddress = (): string | undefined =>
  Object.values(networkInterfaces())
    .flat()
    .find((i) => i && i.family === 'IPv4' && !i.internal && !i.address.startsWith('169.254.'))?.address
