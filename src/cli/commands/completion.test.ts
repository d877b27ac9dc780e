import assert from 'node:assert/strict'
import test from 'node:test'
import { runCommand } from '../../base/command.ts'
import { findProgram } from '../../cluster/host/programs.ts'
import { commands } from '../commands.ts'
import { completionScript } from './completion.ts'

test(
  'bash is offered commands, the flags of each, and the names of clusters',
  {
    skip: findProgram('bash') === undefined && 'there is no bash',
  },
  async () => {
    const script = await completionScript('bash', commands)
    const offered = async (...words: string[]) => {
      const { stdout } = await runCommand({
        file: 'bash',
        args: [
          '-c',
          `${script}\nkubernode() { echo dev; }\nCOMP_WORDS=(kubernode "$@") COMP_CWORD=$#\n_kubernode\necho "\${COMPREPLY[@]}"`,
          'bash',
          ...words,
        ],
      })
      return stdout.trim()
    }
    assert.equal(await offered('do'), 'down doctor')
    assert.equal(await offered('up', '--no'), '--no-color --nodes --node-cidr')
    assert.equal(await offered('down', 'd'), 'dev')
    assert.equal(await offered('scheduler', '--kubec'), '--kubeconfig')
    assert.equal(await offered('image', 'l'), 'load list')
  },
)
