import { nodes, pods } from '../../api/generated/resources.ts'
import type { Node } from '../../api/generated/types/core-v1.ts'
import type { Frozen } from '../../api/resource.ts'
import { adminClient } from '../../cluster/admin.ts'
import { clusterPaths } from '../../cluster/paths.ts'
import { exitCodes } from '../../cluster/problem.ts'
import { runningProcess } from '../../cluster/process/child.ts'
import { requireRecord } from '../../cluster/record.ts'
import type { GlobalFlags } from '../command.ts'
import { outputOf } from '../command.ts'
import { commandDeps } from '../deps.ts'
import { columns, formatted } from '../output.ts'

/** How one part of a cluster is. */
interface PartStatus {
  readonly name: string
  readonly state: 'ok' | 'failed' | 'stopped'
  readonly detail: string
}

/** `kubernode status`: the process, the API server, each node, the Pods. Exit code 0 when all is well, 6 when not. */
export async function status(name: string, flags: GlobalFlags): Promise<void> {
  const record = requireRecord(name)
  const output = outputOf(flags)
  const pid = runningProcess(clusterPaths(name).pid)
  const parts: PartStatus[] = [
    {
      name: 'process',
      state: pid === undefined ? 'stopped' : 'ok',
      detail: pid === undefined ? `run \`kubernode up ${name}\`` : `pid ${pid}`,
    },
  ]
  if (pid !== undefined) parts.push(...(await askApi(name, `https://${record.config.address}:${record.config.port}`)))
  if (flags.output === 'json' || flags.output === 'yaml')
    output.result(await formatted(flags.output, 'ClusterStatus', parts))
  else
    output.result(columns([['PART', 'STATE', 'DETAIL'], ...parts.map((part) => [part.name, part.state, part.detail])]))
  if (parts.some(({ state }) => state !== 'ok')) process.exitCode = exitCodes.degraded
}

async function askApi(name: string, server: string): Promise<PartStatus[]> {
  const client = await adminClient(name, commandDeps())
  try {
    const [nodeList, podList] = [await client.list(nodes), await client.list(pods)]
    const running = podList.items.filter(({ status }) => status?.phase === 'Running').length
    return [
      { name: 'API server', state: 'ok', detail: server },
      ...nodeList.items.map(nodeStatus),
      { name: 'Pods', state: 'ok', detail: `${running} running of ${podList.items.length}` },
    ]
  } catch (error) {
    return [{ name: 'API server', state: 'failed', detail: (error as Error).message }]
  }
}

function nodeStatus(node: Frozen<Node>): PartStatus {
  const ready = node.status?.conditions?.find(({ type }) => type === 'Ready')
  return {
    name: `node ${node.metadata.name}`,
    state: ready?.status === 'True' ? 'ok' : 'failed',
    detail:
      ready?.status === 'True'
        ? (node.status?.nodeInfo?.containerRuntimeVersion ?? '')
        : (ready?.message ?? 'no status yet'),
  }
}
