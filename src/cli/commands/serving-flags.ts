import type { Deps } from '../../base/deps.ts'
import { newClient, type Client } from '../../client/client.ts'
import { fileText } from '../../client/https/file-text.ts'
import { transportFromKubeconfig } from '../../client/https/kubeconfig.ts'
import { Informers } from '../../client/informer/informers.ts'
import type { Transport } from '../../client/transport.ts'
import { followClientCa } from '../../serving/client-ca.ts'
import type { ComponentServerOptions } from '../../serving/component-server.ts'
import { servingCertificate } from './serving-certificate.ts'
import { booleanOf, fileOf, numberOf, type ComponentFlag } from './component-flags.ts'

/** The flags of a component's HTTPS port, named as upstream names them. */
export const servingFlags = (port: number): readonly ComponentFlag[] => [
  ['--bind-address <ip>', 'address to serve HTTPS on', '0.0.0.0'],
  ['--secure-port <port>', 'port to serve HTTPS on; 0: not at all', String(port)],
  ['--cert-dir <folder>', 'folder for a certificate of its own making; without it that is kept in memory'],
  ['--tls-cert-file <file>', 'serving certificate; without one, one of its own making'],
  ['--tls-private-key-file <file>', 'its key'],
  ['--client-ca-file <file>', 'CA of client certificates; without it, the one that the API server publishes'],
  [
    '--authentication-kubeconfig <file>',
    'how to reach the API server to ask whose a token is; without it nobody but client certificates is known',
  ],
  [
    '--authorization-kubeconfig <file>',
    'how to reach the API server to ask who may see what; without it only health is shown',
  ],
  ['--authentication-skip-lookup [bool]', 'do not look for the CA of client certificates in the cluster'],
]

/** What those flags say. */
export interface Serving {
  /** Undefined: --secure-port is 0. */
  readonly options: Omit<ComponentServerOptions, keyof Deps | 'health' | 'configz'> | undefined
  close(): Promise<void>
}

/** Reads the flags of a component's HTTPS port; `component` is upstream's name for it. */
export async function servingOf(given: Record<string, string>, component: string, deps: Deps): Promise<Serving> {
  const port = numberOf(given['securePort']!, 'secure-port')
  if (port === 0) return { options: undefined, close: () => Promise.resolve() }
  fileOf(given['clientCaFile'], 'client-ca-file')
  const serving = servingCertificate(
    {
      certFile: given['tlsCertFile'],
      keyFile: given['tlsPrivateKeyFile'],
      folder: given['certDir'],
      name: component,
      commonName: component,
      hosts: ['localhost', '127.0.0.1'],
    },
    deps,
  )
  const closers: (() => Promise<void>)[] = []
  const connect = async (flag: string): Promise<Client | undefined> => {
    const path = given[camelCase(flag)]
    if (path === undefined) return undefined
    fileOf(path, flag)
    const transport: Transport = await transportFromKubeconfig(path, { deps, userAgent: component })
    closers.push(() => transport.close())
    return newClient(transport)
  }
  const authentication = await connect('authentication-kubeconfig')
  const authorization = await connect('authorization-kubeconfig')
  return {
    options: {
      host: given['bindAddress']!,
      port,
      serving,
      authentication,
      authorization,
      clientCa: clientCaOf(given, authentication, { deps, closers }),
    },
    async close() {
      for (const close of closers.toReversed()) await close()
    },
  }
}

/** The authority for client certificates: a file's, or the cluster's as long as that can be asked. */
function clientCaOf(
  given: Record<string, string>,
  client: Client | undefined,
  { deps, closers }: { readonly deps: Deps; readonly closers: (() => Promise<void>)[] },
): ComponentServerOptions['clientCa'] {
  const file = given['clientCaFile']
  if (file !== undefined) return () => fileText(file, deps.clock)
  if (!client || booleanOf(given['authenticationSkipLookup'], 'authentication-skip-lookup')) return undefined
  const informers = new Informers({ deps, client })
  closers.push(() => informers.close())
  return followClientCa(informers)
}

const camelCase = (flag: string): string => flag.replace(/-(\w)/g, (_, letter: string) => letter.toUpperCase())
