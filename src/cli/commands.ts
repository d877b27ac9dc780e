import { Option } from 'commander'
import { flagName, settings } from '../cluster/config/settings.ts'
import {
  clusterName,
  givenName,
  outputOf,
  withClusterName,
  withGlobalFlags,
  withNameFlags,
  type CommandDefinition,
  type GlobalFlags,
  type NameFlags,
} from './command.ts'

type ClusterFlags = GlobalFlags & NameFlags & Record<string, string & boolean>

/** A command about one cluster, whose work is loaded when it is called. */
function aboutCluster(
  name: string,
  summary: string,
  load: () => Promise<(cluster: string, flags: ClusterFlags) => Promise<void>>,
  flags: readonly (readonly [string, string])[] = [],
): CommandDefinition {
  return {
    name,
    summary,
    define(command) {
      withGlobalFlags(withClusterName(command))
      for (const [flag, help] of flags) command.option(flag, help)
      command.action(async (argument: string | undefined, given: ClusterFlags) => {
        outputOf(given)
        await (
          await load()
        )(clusterName(argument, given), given)
      })
    },
  }
}

/** A component as a process of its own, with upstream's flags. */
function component(
  name: string,
  summary: string,
  loadFlags: NonNullable<CommandDefinition['loadFlags']>,
): CommandDefinition {
  return {
    name,
    summary,
    loadFlags,
    define(command) {
      // The flags are many: they are loaded only when this command was typed.
      command.allowUnknownOption().allowExcessArguments().helpOption(false).argument('[flags...]')
      command.action(async (_flags: string[]) => {
        const { Command } = await import('commander')
        const inner = new Command(`kubernode ${name}`).description(summary).showSuggestionAfterError().exitOverride()
        ;(await loadFlags()).define(inner)
        const at = process.argv.indexOf(name)
        await inner.parseAsync(process.argv.slice(at + 1), { from: 'user' })
      })
    },
  }
}

/** Every command, in the order in which help shows them. */
export const commands: readonly CommandDefinition[] = [
  {
    name: 'up',
    summary: 'create a cluster, start it, or change it to match',
    define(command) {
      withGlobalFlags(withClusterName(command))
      for (const { flag, help, fallback, field } of settings)
        if (field !== 'name') command.option(flag, `${help} (default: ${String(fallback)})`)
      command
        .option('--config <file>', 'configuration file, or - for standard input')
        .option('--kubeconfig <file>', 'file to merge the context into')
        .addOption(
          new Option('--wait <what>', 'for nodes to be Ready, or for none: only until the API server answers')
            .choices(['ready', 'none'])
            .default('ready'),
        )
        .option('--timeout <duration>', 'how long to wait', '2m')
        .option('--print-config', 'print the configuration and where each value came from, and stop')
        .option('--dry-run', 'say what would be done, and stop')
      command.action(async (argument: string | undefined, flags: Record<string, string>) => {
        const { up } = await import('./commands/up.ts')
        const name = givenName(argument, flags)
        const given: Record<string, string> = name === undefined ? {} : { name }
        for (const { flag, field } of settings) {
          const value = flags[camelCase(flagName(flag))]
          if (value !== undefined) given[field] = String(value)
        }
        await up(given, flags, outputOf(flags))
      })
    },
  },
  aboutCluster('down', 'stop a cluster; everything is kept', async () => (await import('./commands/down.ts')).down),
  aboutCluster(
    'delete',
    'stop a cluster and remove everything it has',
    async () => (await import('./commands/delete.ts')).deleteCluster,
    [
      ['--all', 'every cluster of this user'],
      ['--kubeconfig <file>', 'file to remove the context from'],
    ],
  ),
  aboutCluster('status', 'tell how a cluster is', async () => (await import('./commands/status.ts')).status),
  {
    name: 'list',
    summary: 'list the clusters on this machine',
    define(command) {
      withGlobalFlags(command).action(async (flags: GlobalFlags) => (await import('./commands/list.ts')).list(flags))
    },
  },
  {
    name: 'doctor',
    summary: 'look at what this machine has and lacks',
    define(command) {
      withGlobalFlags(command.option('--fix', 'install what is missing')).action(
        async (flags: GlobalFlags & { fix?: boolean }) => (await import('./commands/doctor.ts')).doctor(flags),
      )
    },
  },
  {
    name: 'logs',
    summary: 'show the logs of a cluster’s own parts',
    define(command) {
      withGlobalFlags(
        withNameFlags(command.argument('[component]', 'show only lines of this component'))
          .option('-f, --follow', 'go on as lines come')
          .option('--tail <n>', 'begin with the last n lines'),
      )
      command.action(
        async (component: string | undefined, flags: GlobalFlags & NameFlags & { follow?: boolean; tail?: string }) =>
          (await import('./commands/logs.ts')).logs(clusterName(undefined, flags), component, flags),
      )
    },
  },
  {
    name: 'image',
    summary: 'load, list and remove images on the nodes',
    define(command) {
      for (const [name, argument, help] of [
        ['load', '<archive>', 'load an image archive (docker save, OCI layout) into every node'],
        ['list', '', 'list the images of every node'],
        ['remove', '<image>', 'remove an image from every node'],
      ] as const) {
        const inner = withGlobalFlags(withNameFlags(command.command(name).description(help)))
        if (argument) inner.argument(argument)
        inner.action(async (...given: unknown[]) => {
          const flags = given[argument ? 1 : 0] as GlobalFlags & NameFlags
          const images = await import('./commands/image.ts')
          await images.image(name, clusterName(undefined, flags), argument ? String(given[0]) : '', flags)
        })
      }
    },
  },
  aboutCluster(
    'kubeconfig',
    'print a cluster’s kubeconfig',
    async () => (await import('./commands/kubeconfig.ts')).kubeconfig,
  ),
  {
    name: 'completion',
    summary: 'print the completion script of a shell',
    define(command) {
      command
        .argument('<shell>', 'bash, zsh or fish')
        .action(async (shell: string) => (await import('./commands/completion.ts')).completion(shell, commands))
    },
  },
  {
    name: 'version',
    summary: 'print the version',
    define(command) {
      withGlobalFlags(command).action(async (flags: GlobalFlags) =>
        (await import('./commands/version.ts')).version(flags),
      )
    },
  },
  component('apiserver', 'run the API server alone', () => import('./commands/apiserver.ts')),
  component('controller-manager', 'run the controllers alone', () => import('./commands/controller-manager.ts')),
  component('scheduler', 'run the scheduler alone', () => import('./commands/scheduler.ts')),
  component('kubelet', 'run a kubelet alone', () => import('./commands/kubelet.ts')),
  component('proxy', 'run the service proxy alone', () => import('./commands/proxy.ts')),
  component('dns', 'run the cluster’s DNS alone', () => import('./commands/dns.ts')),
  component('run', 'run a cluster’s processes in the foreground (what up starts)', () => import('./commands/run.ts')),
]

const camelCase = (name: string) => name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
