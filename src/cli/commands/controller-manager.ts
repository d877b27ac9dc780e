import type { Command } from 'commander'
import type { Deps } from '../../base/deps.ts'
import { newClient, type Client } from '../../client/client.ts'
import { httpsTransport, type HttpsTransportOptions } from '../../client/https/https-transport.ts'
import { withoutCredentials } from '../../client/https/kubeconfig.ts'
import { serviceAccountTransports } from '../../client/https/service-account-transports.ts'
import { exitCodes, Problem } from '../../cluster/problem.ts'
import { startControllerManager } from '../../controllers/controller-manager.ts'
import { tuningFlags } from '../../controllers/flags.ts'
import type { ControllerOptions } from '../../controllers/options.ts'
import { controllerManagerPort, serveControllerManager } from '../../controllers/serve.ts'
import { componentDeps, runUntilSignal } from '../component-process.ts'
import { addFlags, booleanOf, fileOf, listOf, numberOf, type ComponentFlag } from './component-flags.ts'
import { kubeconfigOf } from './kubeconfig-flag.ts'
import { electionFlags, electionOf } from './election-flags.ts'
import { servingFlags, servingOf } from './serving-flags.ts'

const flags: readonly ComponentFlag[] = [
  ['--kubeconfig <file>', 'how to reach the API server'],
  ['--controllers <names>', 'which controllers to run: *, name, -name', '*'],
  ...electionFlags,
  ...servingFlags(controllerManagerPort),
  ['--allocate-node-cidrs [bool]', 'give nodes their Pod ranges'],
  ['--cluster-cidr <cidr>', 'addresses of Pods', '10.244.0.0/16'],
  ['--service-cluster-ip-range <cidr>', 'addresses of Services', '10.96.0.0/12'],
  ['--node-cidr-mask-size <bits>', 'prefix length of a node’s range', '24'],
  ['--root-ca-file <file>', 'CA that service accounts are given'],
  ['--cluster-signing-cert-file <file>', 'CA that signs certificate requests'],
  ['--cluster-signing-key-file <file>', 'its key'],
  ['--service-account-private-key-file <file>', 'key that tokens are signed with'],
  ['--use-service-account-credentials [bool]', 'each controller acts as a service account of its own'],
  ['-v, --v <level>', 'verbosity, as klog counts it', '2'],
]

/** `kubernode controller-manager`: the controllers alone, with upstream's flags. */
export function define(command: Command): void {
  addFlags(command, [...flags, ...tuningFlags.map(({ name, help }): ComponentFlag => [`--${name} <value>`, help])])
  command.action(async (given: Record<string, string>) => {
    const deps = await componentDeps('controller-manager', numberOf(given['v']!, 'v'))
    const connection = await kubeconfigOf(given['kubeconfig'], {
      deps,
      userAgent: 'kube-controller-manager',
    })
    const transport = httpsTransport(connection)
    const client = newClient(transport)
    const accounts = booleanOf(given['useServiceAccountCredentials'], 'use-service-account-credentials')
      ? accountsOf(connection, client, deps)
      : undefined
    const election = electionOf(given, 'kube-controller-manager', deps)
    const controllers = listOf(given['controllers'])!
    const options = optionsOf(given)
    const serving = await servingOf(given, 'kube-controller-manager', deps)
    const manager = startControllerManager({
      ...deps,
      client,
      ...(accounts && { clientFor: accounts.clientFor }),
      controllers,
      ...options,
      ...(election && { leaderElection: { ...election, lost: () => process.exit(1) } }),
    })
    const server =
      serving.options &&
      (await serveControllerManager({
        ...deps,
        ...serving.options,
        manager,
        facts: {
          options,
          controllers,
          leaderElect: election !== undefined,
          useServiceAccountCredentials: accounts !== undefined,
        },
      }))
    deps.log.info({ controllers: manager.controllers.length, port: server?.port }, 'controlling')
    await runUntilSignal(deps, async () => {
      await server?.close()
      await manager.close()
      await serving.close()
      await accounts?.close()
      await transport.close()
    })
  })
}

/** Clients that act as service accounts in kube-system, over connections that all of them share. */
function accountsOf(connection: HttpsTransportOptions, client: Client, deps: Deps) {
  const transport = httpsTransport(withoutCredentials(connection))
  const as = serviceAccountTransports({ deps, client, transport, namespace: 'kube-system' })
  return { clientFor: (account: string) => newClient(as(account)), close: () => transport.close() }
}

/** What the controllers are told. */
const optionsOf = (given: Record<string, string>): Partial<ControllerOptions> => ({
  allocateNodeCidrs: booleanOf(given['allocateNodeCidrs'], 'allocate-node-cidrs') ?? false,
  clusterCidr: listOf(given['clusterCidr'])!,
  serviceClusterIpRange: listOf(given['serviceClusterIpRange'])!,
  nodeCidrMaskSizeIPv4: numberOf(given['nodeCidrMaskSize']!, 'node-cidr-mask-size'),
  ...tuning(given),
  ...optional('rootCa', fileOf(given['rootCaFile'], 'root-ca-file')),
  ...optional('clusterSigningCert', fileOf(given['clusterSigningCertFile'], 'cluster-signing-cert-file')),
  ...optional('clusterSigningKey', fileOf(given['clusterSigningKeyFile'], 'cluster-signing-key-file')),
  ...optional(
    'serviceAccountPrivateKey',
    fileOf(given['serviceAccountPrivateKeyFile'], 'service-account-private-key-file'),
  ),
})

/** What the tuning flags say. */
function tuning(given: Record<string, string>): Partial<ControllerOptions> {
  const options: [string, number | string][] = []
  for (const { name, option, parse } of tuningFlags) {
    const text = given[name.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())]
    if (text === undefined) continue
    try {
      options.push([option, parse(text)])
    } catch (error) {
      throw new Problem(
        'KN-CONFIG-02',
        `--${name}: ${error instanceof Error ? error.message : String(error)}`,
        'correct it',
        { exitCode: exitCodes.usage },
      )
    }
  }
  return Object.fromEntries(options)
}

const optional = <Name extends string>(name: Name, value: string | undefined): Partial<Record<Name, string>> =>
  value === undefined ? {} : ({ [name]: value } as Record<Name, string>)
