import { readFileSync, readdirSync } from 'node:fs'
import { procField } from './measure.ts'

/** What some processes use together at one moment. */
export interface Usage {
  readonly processes: number
  readonly rssBytes: number
  /** Shared pages counted in parts: the sum over all processes is what the machine has less. */
  readonly pssBytes: number
  readonly cpuMs: number
  readonly writtenBytes: number
}

/** A process and all below it, split by whether its command passes. */
export function treeOf(root: number): number[] {
  const children = new Map<number, number[]>()
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const parent = Number(statOf(Number(name))?.[1])
    if (!Number.isNaN(parent)) children.set(parent, [...(children.get(parent) ?? []), Number(name)])
  }
  const tree: number[] = []
  for (let next: number[] = [root]; next.length > 0; next = next.flatMap((pid) => children.get(pid) ?? []))
    tree.push(...next)
  return tree
}

/** Processes whose command line has this text, wherever they hang: containerd's shims have left their parents. */
export function processesWith(text: string): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name) || Number(name) === process.pid) return []
    try {
      return readFileSync(`/proc/${name}/cmdline`, 'utf8').includes(text) ? [Number(name)] : []
    } catch {
      return [] // It has ended meanwhile.
    }
  })
}

/** What these processes use. */
export function usageOf(pids: readonly number[]): Usage {
  const sum = (read: (pid: number) => number) => pids.reduce((total, pid) => total + read(pid), 0)
  return {
    processes: pids.length,
    rssBytes: sum((pid) => procField(`/proc/${pid}/status`, 'VmRSS') * 1024),
    pssBytes: sum((pid) => procField(`/proc/${pid}/smaps_rollup`, 'Pss') * 1024),
    cpuMs: sum(cpuMsOf),
    writtenBytes: sum(
      (pid) => procField(`/proc/${pid}/io`, 'write_bytes') - procField(`/proc/${pid}/io`, 'cancelled_write_bytes'),
    ),
  }
}

/** The clock tick that /proc counts in, on every Linux that Node runs on. */
const tickMs = 10

function cpuMsOf(pid: number): number {
  const stat = statOf(pid)
  return stat ? (Number(stat[11]) + Number(stat[12])) * tickMs : 0
}

/** The fields of /proc/PID/stat after the command, which is in parentheses and may hold anything. */
function statOf(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    return text.slice(text.lastIndexOf(')') + 2).split(' ')
  } catch {
    return undefined
  }
}
