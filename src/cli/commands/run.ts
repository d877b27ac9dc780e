import type { Command } from 'commander'
import { hostname } from 'node:os'
import { join } from 'node:path'
import { runCommand } from '../../base/command.ts'
import type { Deps } from '../../base/deps.ts'
import { clusterPki } from '../../cluster/prepare.ts'
import { clusterPaths } from '../../cluster/paths.ts'
import { boundLog } from '../../cluster/process/bounded-log.ts'
import { writeProcessFile } from '../../cluster/process/child.ts'
import { ownMemory, returnIdleMemory } from '../../cluster/process/idle-memory.ts'
import { nodePlans, requireRecord, type ClusterRecord } from '../../cluster/record.ts'
import { LivePki } from '../../cluster/pki/live-pki.ts'
import { componentDeps, runUntilSignal } from '../component-process.ts'

/** `kubernode run NAME`: a cluster's process, or with --node one node's, in the foreground; `up` starts it in the background. */
export function define(command: Command): void {
  command
    .argument('<name>', 'name of the cluster')
    .option('--node <node>', 'only this node, in the current network namespace')
  command.action(async (name: string, flags: { node?: string }) => {
    const deps = await componentDeps(undefined, Number(process.env['KUBERNODE_VERBOSITY'] ?? 2))
    const record = requireRecord(name)
    // The cluster's process renews certificates; a node's takes what it finds.
    const pki = new LivePki(
      await clusterPki(record, deps),
      () => clusterPki(record, deps, { readOnly: flags.node !== undefined }),
      deps,
    )
    const running =
      flags.node === undefined ? await runServer(record, pki, deps) : await runNode(record, pki, deps, flags.node)
    const own = ownMemory()
    const memory = own && returnIdleMemory(deps, own)
    const path = join(clusterPaths(name).logs, `${flags.node ?? 'kubernode'}.log`)
    const log = boundLog(deps, { descriptor: process.stderr.fd, path })
    await runUntilSignal(deps, async () => {
      memory?.close()
      log.close()
      await pki.close()
      await running.close()
    })
  })
}

async function runServer(record: ClusterRecord, pki: LivePki, deps: Deps) {
  const { startServer } = await import('../../cluster/server.ts')
  writeProcessFile(clusterPaths(record.config.name).pid, process.pid)
  return startServer({ ...deps, record, pki })
}

async function runNode(record: ClusterRecord, pki: LivePki, deps: Deps, name: string) {
  const { startNode } = await import('../../cluster/node.ts')
  const { newClient } = await import('../../client/client.ts')
  const { httpsTransport } = await import('../../client/https/https-transport.ts')
  const { folder, authority, nodeServer } = pki.current
  // By their files, which are read again when they change.
  const connect = (user: string, userAgent: string) =>
    newClient(
      httpsTransport({
        server: `https://${record.advertiseAddress}:${record.config.port}`,
        ca: authority.cert,
        certFile: join(folder, `${user}.crt`),
        keyFile: join(folder, `${user}.key`),
        userAgent,
        deps,
      }),
    )
  const node = await startNode({
    ...deps,
    record,
    plan: nodePlans(record, hostname()).find((plan) => plan.name === name)!,
    client: connect(`nodes/${name}/kubelet-client`, 'kubelet'),
    proxyClient: connect('proxy', 'kube-proxy'),
    serving: nodeServer(name),
    clientCa: authority.cert,
    paths: clusterPaths(record.config.name).node(name),
    run: runCommand,
  })
  pki.follow(
    (current) => current.nodeServer(name),
    (pair) => node.setServing(pair),
  )
  return node
}
