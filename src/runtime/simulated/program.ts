/** What a simulated container does, step by step. */
export type Step = { readonly say: string } | { readonly sleepMs: number } | { readonly exit: number }

/** A container's behaviour: its steps, and then it ends with 0, or runs until it is stopped. */
export interface Program {
  readonly steps: readonly Step[]
  readonly runsOn: boolean
}

/** What runs when nothing is known of the command: a server, say. */
export const server: Program = { steps: [], runsOn: true }

/**
 * Reads from a command what it would do, as far as tests need it: `true`, `false`, `sleep 5`, `echo x`, `exit 3`, alone or in `sh -c 'echo a; sleep 2 && exit 1'`.
 * Anything else is a server that runs until it is stopped.
 */
export function programOf(command: readonly string[]): Program {
  const [name = '', ...args] = command
  const base = name.split('/').at(-1)
  if ((base === 'sh' || base === 'bash') && args[0]?.endsWith('c')) return script(args[1] ?? '')
  const step = stepOf(base ?? '', args)
  return step === undefined ? server : { steps: step, runsOn: false }
}

function script(text: string): Program {
  const steps: Step[] = []
  for (const line of text
    .split(/;|&&|\n/)
    .map((part) => part.trim())
    .filter(Boolean)) {
    const [name = '', ...args] = line.split(/\s+/).map((word) => word.replace(/^(['"])(.*)\1$/, '$2'))
    const step = stepOf(name, args)
    if (step === undefined) return { steps, runsOn: true }
    steps.push(...step)
    if (steps.some((one) => 'exit' in one)) break
  }
  return { steps, runsOn: false }
}

const unitsMs: Readonly<Record<string, number>> = { '': 1000, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

function stepOf(name: string, args: readonly string[]): Step[] | undefined {
  switch (name) {
    case 'true':
    case ':':
      return [{ exit: 0 }]
    case 'false':
      return [{ exit: 1 }]
    case 'exit':
      return [{ exit: Number(args[0] ?? 0) || 0 }]
    case 'echo':
      return [{ say: args.join(' ').replace(/^(['"])(.*)\1$/, '$2') }]
    case 'sleep': {
      const parts = /^([0-9.]+)([smhd]?)$/.exec(args[0] ?? '')
      return parts ? [{ sleepMs: Number(parts[1]) * unitsMs[parts[2]!]! }] : undefined
    }
    default:
      return undefined
  }
}
