import { Command } from 'commander'
import { exitCodes, Problem } from '../../cluster/problem.ts'
import type { CommandDefinition } from '../command.ts'

const scripts: Record<string, (table: ReadonlyMap<string, readonly string[]>) => string> = {
  bash,
  zsh: (table) => `autoload -U +X bashcompinit && bashcompinit\n${bash(table)}`,
  fish,
}

/** `kubernode completion SHELL`: words and flags of every command, and the names of clusters, from the command table itself. */
export async function completion(shell: string, commands: readonly CommandDefinition[]): Promise<void> {
  process.stdout.write(await completionScript(shell, commands))
}

/** The script that a shell completes `kubernode` with. */
export async function completionScript(shell: string, commands: readonly CommandDefinition[]): Promise<string> {
  const script = scripts[shell]
  if (!script)
    throw new Problem(
      'KN-CONFIG-02',
      `there is no completion for the shell ${shell}`,
      `use one of ${Object.keys(scripts).join(', ')}`,
      { exitCode: exitCodes.usage },
    )
  return script(new Map(await Promise.all(commands.map(wordsOf))))
}

/** The words that can follow a command: those of its own commands, and its flags. */
async function wordsOf({ name, define, loadFlags }: CommandDefinition): Promise<[string, readonly string[]]> {
  const command = new Command(name)
  if (loadFlags) (await loadFlags()).define(command)
  else define(command)
  const flags = command.options.flatMap(({ long }) => long ?? [])
  return [name, [...command.commands.map((inner) => inner.name()), ...flags]]
}

function bash(table: ReadonlyMap<string, readonly string[]>): string {
  const cases = [...table]
    .map(([name, words]) => `    ${name}) words="${words.join(' ')} $(kubernode list -o name 2>/dev/null)" ;;`)
    .join('\n')
  return `_kubernode() {
  local words="${[...table.keys()].join(' ')}"
  case "\${COMP_WORDS[1]}" in
${cases}
  esac
  [ "$COMP_CWORD" -eq 1 ] && words="${[...table.keys()].join(' ')}"
  COMPREPLY=($(compgen -W "$words" -- "\${COMP_WORDS[COMP_CWORD]}"))
}
complete -F _kubernode kubernode
`
}

function fish(table: ReadonlyMap<string, readonly string[]>): string {
  const lines = [...table].flatMap(([name, words]) => [
    `complete -c kubernode -f -n __fish_use_subcommand -a ${name}`,
    ...words.map(
      (word) =>
        `complete -c kubernode -n '__fish_seen_subcommand_from ${name}' ${word.startsWith('--') ? `-l ${word.slice(2)}` : `-a ${word}`}`,
    ),
  ])
  return `${lines.join('\n')}\n`
}
