import { clusterPaths } from '../../cluster/paths.ts'
import { readFileIfThere } from '../../cluster/files.ts'
import { requireRecord } from '../../cluster/record.ts'
import type { GlobalFlags } from '../command.ts'
import { outputOf } from '../command.ts'

/** `kubernode kubeconfig`: the administrator's kubeconfig, to standard output. */
export async function kubeconfig(name: string, flags: GlobalFlags): Promise<void> {
  requireRecord(name)
  outputOf(flags).result(readFileIfThere(clusterPaths(name).adminKubeconfig) ?? '')
}
