/**
 * The program of the pause image, as machine code, so that no compiler and no registry is needed for it. It lets the kernel reap orphans (SIGCHLD is
 * ignored, which matters when a Pod shares its process namespace), then waits for SIGTERM or SIGINT and ends with 0.
 *
 *     rt_sigaction(SIGCHLD, { SIG_IGN })
 *     rt_sigprocmask(SIG_BLOCK, { SIGINT, SIGTERM })
 *     do got = rt_sigtimedwait({ SIGINT, SIGTERM }) while (got <= 0)
 *     exit_group(0)
 */
const code = {
  x64: `
    b80d000000 bf11000000 488d3547000000 31d2 41ba08000000 0f05
    b80e000000 31ff 488d354f000000 31d2 41ba08000000 0f05
    b880000000 488d3d39000000 31f6 31d2 41ba08000000 0f05 85c0 7ee4
    b8e7000000 31ff 0f05
    0100000000000000 0000000000000000 0000000000000000 0000000000000000 0240000000000000`,
  arm64: `
    c81080d2 200280d2 c1020010 020080d2 030180d2 010000d4
    e81080d2 000080d2 c1020010 020080d2 030180d2 010000d4
    281180d2 20020010 010080d2 020080d2 030180d2 010000d4 1f000071 2dffff54
    c80b80d2 000080d2 010000d4 1f2003d5
    0100000000000000 0000000000000000 0000000000000000 0240000000000000`,
} as const

/** ELF machine numbers. */
const machines = { x64: 62, arm64: 183 } as const

/** The processors for which there is a pause program. */
export type PauseArchitecture = keyof typeof code

const headerBytes = 64 + 56
const loadAddress = 0x400000n

/** A static ELF executable of a few hundred bytes. */
export function pauseProgram(architecture: PauseArchitecture): Buffer {
  const text = Buffer.from(code[architecture].replace(/\s/g, ''), 'hex')
  const file = Buffer.alloc(headerBytes + text.length)
  file.write('\x7fELF\x02\x01\x01', 'latin1') // 64 bit, little endian, version 1
  file.writeUInt16LE(2, 16) // an executable
  file.writeUInt16LE(machines[architecture], 18)
  file.writeUInt32LE(1, 20)
  file.writeBigUInt64LE(loadAddress + BigInt(headerBytes), 24) // entry point
  file.writeBigUInt64LE(64n, 32) // program headers follow the header
  file.writeUInt16LE(64, 52)
  file.writeUInt16LE(56, 54)
  file.writeUInt16LE(1, 56)
  file.writeUInt16LE(64, 58)
  file.writeUInt32LE(1, 64) // PT_LOAD
  file.writeUInt32LE(5, 68) // readable and executable
  file.writeBigUInt64LE(loadAddress, 80)
  file.writeBigUInt64LE(loadAddress, 88)
  file.writeBigUInt64LE(BigInt(file.length), 96)
  file.writeBigUInt64LE(BigInt(file.length), 104)
  file.writeBigUInt64LE(0x1000n, 112)
  text.copy(file, headerBytes)
  return file
}
