import { CommandError, runCommand } from '../../base/command.ts'
import { Problem, exitCodes } from '../problem.ts'
import { findProgram, missingPrograms, type NeededProgram } from './programs.ts'

/** A package tool and how it installs without asking. */
interface PackageTool {
  readonly name: keyof NeededProgram['packages']
  readonly command: string
  readonly refresh?: readonly string[]
  readonly install: readonly string[]
}

const tools: readonly PackageTool[] = [
  {
    name: 'apt',
    command: 'apt-get',
    refresh: ['update', '-q'],
    install: ['install', '-y', '-q', '--no-install-recommends'],
  },
  { name: 'dnf', command: 'dnf', install: ['install', '-y', '-q'] },
]

/** Installs what nodes need and the machine lacks; `say` is told which packages first. Returns the packages that were installed. */
export async function installMissing(say: (packages: readonly string[]) => void): Promise<readonly string[]> {
  const missing = missingPrograms()
  if (missing.length === 0) return []
  const tool = tools.find(({ command }) => findProgram(command))
  const names = missing.map(({ name, purpose }) => `${name} (${purpose})`).join(', ')
  if (!tool)
    throw new Problem(
      'KN-HOST-01',
      `missing: ${names}; neither apt-get nor dnf is there to install them`,
      'install these programs, or use --simulated',
      { exitCode: exitCodes.hostNotFit },
    )
  const packages = [...new Set(missing.map((m) => m.packages[tool.name]))]
  say(packages)
  let failure = await install(tool, packages)
  if (failure !== undefined && tool.refresh) {
    // The package lists of a fresh machine are absent or old.
    await attempt(tool, tool.refresh)
    failure = await install(tool, packages)
  }
  const still = missingPrograms()
  if (failure === undefined && still.length === 0) return packages
  const said = failure ?? `${still.map((m) => m.name).join(', ')} is still missing`
  throw new Problem(
    'KN-HOST-02',
    `${tool.command} could not install ${packages.join(' ')}: ${said}`,
    `run: ${tool.command} ${[...tool.install, ...packages].join(' ')}`,
    { exitCode: exitCodes.hostNotFit },
  )
}

const install = (tool: PackageTool, packages: readonly string[]) => attempt(tool, [...tool.install, ...packages])

/** Runs the package tool without questions; the last line of what it said when it fails. */
async function attempt(tool: PackageTool, args: readonly string[]): Promise<string | undefined> {
  try {
    await runCommand({ file: 'env', args: ['DEBIAN_FRONTEND=noninteractive', tool.command, ...args] })
    return undefined
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    return error.stderr.trim().split('\n').at(-1) ?? error.message
  }
}
