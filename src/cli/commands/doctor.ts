import { checkHost } from '../../cluster/host/checks.ts'
import { installMissing } from '../../cluster/host/packages.ts'
import { exitCodes } from '../../cluster/problem.ts'
import type { GlobalFlags } from '../command.ts'
import { outputOf } from '../command.ts'
import { formatted, paint } from '../output.ts'

const marks = { ok: ['green', 'ok  '], warn: ['yellow', 'warn'], fail: ['red', 'fail'] } as const

/** `kubernode doctor`: what the machine has and lacks; with --fix installs what is missing. */
export async function doctor(flags: GlobalFlags & { fix?: boolean }): Promise<void> {
  const output = outputOf(flags)
  if (flags.fix) await installMissing((packages) => output.note(`installing ${packages.join(' ')}`))
  const checks = await checkHost(6443, '127.0.0.1')
  if (flags.output === 'json' || flags.output === 'yaml')
    output.result(await formatted(flags.output, 'CheckList', checks))
  else
    for (const { name, state, found, fix } of checks) {
      const [colour, mark] = marks[state]
      const advice = state !== 'ok' && fix ? `\n       fix: ${fix}` : ''
      output.result(`${paint(colour, mark, process.stdout)} ${name}: ${found}${advice}`)
    }
  if (checks.some(({ state }) => state === 'fail')) process.exitCode = exitCodes.hostNotFit
}
