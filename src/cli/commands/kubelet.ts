import type { Command } from 'commander'
import { newClient } from '../../client/client.ts'
import { exitCodes, Problem } from '../../cluster/problem.ts'
import { readKubeletConfiguration } from '../../kubelet/read-configuration.ts'
import { startKubelet } from '../../kubelet/kubelet.ts'
import { connectCri } from '../../runtime/cri/cri-runtime.ts'
import { componentDeps, runUntilSignal } from '../component-process.ts'
import { addFlags, configOf, fileOf, listOf, numberOf, type ComponentFlag } from './component-flags.ts'
import { transportOf } from './kubeconfig-flag.ts'
import { followCertificate, servingCertificate } from './serving-certificate.ts'

const flags: readonly ComponentFlag[] = [
  ['--kubeconfig <file>', 'how to reach the API server'],
  ['--config <file>', 'KubeletConfiguration (kubelet.config.k8s.io/v1beta1)'],
  ['--hostname-override <name>', 'name of the node instead of the machine’s'],
  ['--node-ip <ips>', 'addresses of the node'],
  ['--node-labels <labels>', 'labels for the node, key=value,…'],
  ['--root-dir <folder>', 'folder of volumes and other files', '/var/lib/kubelet'],
  ['--container-runtime-endpoint <socket>', 'CRI socket', 'unix:///run/containerd/containerd.sock'],
  ['--address <ip>', 'address to serve on'],
  ['--port <port>', 'port to serve on'],
  ['--tls-cert-file <file>', 'certificate to serve with; without one, one of its own making'],
  ['--tls-private-key-file <file>', 'its key'],
  ['--cert-dir <folder>', 'folder for a certificate of its own making; without it that is kept in memory'],
  ['--client-ca-file <file>', 'client certificates of this CA are users'],
  ['-v, --v <level>', 'verbosity, as klog counts it', '2'],
]

/** `kubernode kubelet`: a kubelet alone, with upstream's flags and configuration file. */
export function define(command: Command): void {
  addFlags(command, flags)
  command.action(async (given: Record<string, string>) => {
    const deps = await componentDeps('kubelet', numberOf(given['v']!, 'v'))
    const config = configOf(given['config'], readKubeletConfiguration) ?? {}
    const transport = await transportOf(given['kubeconfig'], {
      deps,
      userAgent: 'kubelet',
    })
    const runtime = await connectCri({
      ...deps,
      socket: config.containerRuntimeEndpoint ?? given['containerRuntimeEndpoint']!,
    })
    const hostname = (await import('node:os')).hostname().toLowerCase()
    const client = newClient(transport)
    const nodeName = given['hostnameOverride'] ?? hostname
    const port = given['port'] ? numberOf(given['port'], 'port') : (config.port ?? 10_250)
    const serving = servingCertificate(
      {
        certFile: given['tlsCertFile'] ?? config.tlsCertFile,
        keyFile: given['tlsPrivateKeyFile'] ?? config.tlsPrivateKeyFile,
        folder: given['certDir'],
        name: 'kubelet',
        commonName: nodeName,
        hosts: [nodeName, ...(listOf(given['nodeIp']) ?? [])],
      },
      deps,
    )
    const kubelet = await startKubelet({
      ...deps,
      client,
      runtime,
      config,
      nodeName,
      port,
      hostname: given['hostnameOverride'] ?? hostname,
      rootDir: given['rootDir']!,
      ...(given['nodeIp'] && { nodeIps: listOf(given['nodeIp'])! }),
      ...(given['nodeLabels'] && { nodeLabels: labelsOf(given['nodeLabels']) }),
    })
    const { startKubeletServer } = await import('../../kubelet/server/kubelet-server.ts')
    const server = await startKubeletServer({
      ...deps,
      kubelet,
      runtime,
      client,
      config,
      host: given['address'] ?? config.address ?? '0.0.0.0',
      port,
      serving: await serving(),
      clientCa: fileOf(given['clientCaFile'] ?? config.authentication?.x509?.clientCAFile, 'client-ca-file'),
    })
    const unfollow = followCertificate(serving, (pair) => server.setServing(pair), deps)
    await runUntilSignal(deps, async () => {
      unfollow()
      await server.close()
      await kubelet.close()
      await runtime.close()
      await transport.close()
    })
  })
}

function labelsOf(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split(',').map((pair) => {
      const at = pair.indexOf('=')
      if (at < 1)
        throw new Problem(
          'KN-CONFIG-02',
          `--node-labels has ${JSON.stringify(pair)}: it must be key=value`,
          'correct it',
          { exitCode: exitCodes.usage },
        )
      return [pair.slice(0, at), pair.slice(at + 1)]
    }),
  )
}
