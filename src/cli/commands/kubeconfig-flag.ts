import { httpsTransport, type HttpsTransportOptions } from '../../client/https/https-transport.ts'
import { connectionOf, type KubeconfigOptions } from '../../client/https/kubeconfig.ts'
import type { Transport } from '../../client/transport.ts'
import { exitCodes, Problem } from '../../cluster/problem.ts'
import { fileOf, required } from './component-flags.ts'

/** How a component reaches the API server: what its `--kubeconfig` says. Whatever is wrong with the file is told with its name. */
export async function kubeconfigOf(
  path: string | undefined,
  options: KubeconfigOptions,
): Promise<HttpsTransportOptions> {
  const file = required(path, 'kubeconfig')
  fileOf(file, 'kubeconfig')
  try {
    return await connectionOf(file, options)
  } catch (error) {
    const said = error instanceof Error ? error.message : String(error)
    throw new Problem('KN-CONFIG-01', said.startsWith(file) ? said : `${file}: ${said}`, 'correct the kubeconfig', {
      exitCode: exitCodes.usage,
      cause: error,
    })
  }
}

/** The same, connected. */
export const transportOf = async (path: string | undefined, options: KubeconfigOptions): Promise<Transport> =>
  httpsTransport(await kubeconfigOf(path, options))
