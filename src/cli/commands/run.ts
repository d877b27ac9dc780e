import type { Command } from 'commander'
import { hostname } from 'node:os'
import { runCommand } from '../../base/command.ts'
import type { Deps } from '../../base/deps.ts'
import { clusterPki } from '../../cluster/lifecycle.ts'
import { clusterPaths } from '../../cluster/paths.ts'
import { writeProcessFile } from '../../cluster/process/child.ts'
import { nodePlans, requireRecord, type ClusterRecord } from '../../cluster/record.ts'
import type { ClusterPki } from '../../cluster/pki/cluster-pki.ts'
import { componentDeps, runUntilSignal } from '../component-process.ts'

/** `kubernode run NAME`: a cluster's process, or with --node one node's, in the foreground; `up` starts it in the background. */
export function define(command: Command): void {
  command.argument('<name>', 'name of the cluster').option('--node <node>', 'only this node, in the current network namespace')
  command.action(async (name: string, flags: { node?: string }) => {
    const deps = await componentDeps(undefined, Number(process.env['KUBERNODE_VERBOSITY'] ?? 2))
    const record = requireRecord(name)
    const pki = await clusterPki(record, deps)
    const running = flags.node === undefined ? await runServer(record, pki, deps) : await runNode(record, pki, deps, flags.node)
    await runUntilSignal(deps, () => running.close())
  })
}

async function runServer(record: ClusterRecord, pki: ClusterPki, deps: Deps) {
  const { startServer } = await import('../../cluster/server.ts')
  writeProcessFile(clusterPaths(record.config.name).pid, process.pid)
  return startServer({ ...deps, record, pki })
}

async function runNode(record: ClusterRecord, pki: ClusterPki, deps: Deps, name: string) {
  const { startNode } = await import('../../cluster/node.ts')
  const { newClient } = await import('../../client/client.ts')
  const { httpsTransport } = await import('../../client/https/https-transport.ts')
  const connect = (user: { cert: string; key: string }, userAgent: string) =>
    newClient(httpsTransport({ server: `https://${record.advertiseAddress}:${record.config.port}`, ca: pki.authority.cert, cert: user.cert, key: user.key, userAgent, deps }))
  return startNode({
    ...deps,
    record,
    plan: nodePlans(record, hostname()).find((plan) => plan.name === name)!,
    client: connect(pki.node(name), 'kubelet'),
    proxyClient: connect(pki.proxy(), 'kube-proxy'),
    serving: pki.nodeServer(name),
    clientCa: pki.authority.cert,
    paths: clusterPaths(record.config.name).node(name),
    run: runCommand,
  })
}
