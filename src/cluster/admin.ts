import type { Deps } from '../base/deps.ts'
import { newClient, type Client } from '../client/client.ts'
import { transportFromKubeconfig } from '../client/https/kubeconfig.ts'
import { clusterPaths } from './paths.ts'

/** A client with the administrator's certificate. */
export async function adminClient(name: string, deps: Deps): Promise<Client> {
  return newClient(await transportFromKubeconfig(clusterPaths(name).adminKubeconfig, { deps, userAgent: 'kubernode' }))
}
