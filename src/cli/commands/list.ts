import { runningProcess } from '../../cluster/process/child.ts'
import { clusterPaths } from '../../cluster/paths.ts'
import { clusterNames, readRecord } from '../../cluster/record.ts'
import type { GlobalFlags } from '../command.ts'
import { outputOf } from '../command.ts'
import { columns, formatted } from '../output.ts'

/** `kubernode list`: the clusters of this user on this machine. */
export async function list(flags: GlobalFlags): Promise<void> {
  const output = outputOf(flags)
  const clusters = clusterNames().map((name) => {
    const record = readRecord(name)
    const running = runningProcess(clusterPaths(name).pid) !== undefined
    return {
      name,
      state: record === undefined ? 'incomplete' : running ? 'running' : 'stopped',
      nodes: record?.config.nodes ?? 0,
      kind: record?.simulated ? 'simulated' : 'containers',
      server: record ? `https://${record.config.address}:${record.config.port}` : '',
    }
  })
  if (flags.output === 'json' || flags.output === 'yaml')
    return output.result(await formatted(flags.output, 'ClusterList', clusters))
  if (flags.output === 'name') return clusters.forEach(({ name }) => output.result(name))
  if (clusters.length === 0) return output.note('no clusters; run `kubernode up` to make one')
  output.result(
    columns([
      ['NAME', 'STATE', 'NODES', 'KIND', 'SERVER'],
      ...clusters.map((c) => [c.name, c.state, String(c.nodes), c.kind, c.server]),
    ]),
  )
}
