import type { Command } from 'commander'
import { newClient } from '../../client/client.ts'
import { transportFromKubeconfig } from '../../client/https/kubeconfig.ts'
import { exitCodes, Problem } from '../../cluster/problem.ts'
import type { KubeletConfiguration } from '../../kubelet/config.ts'
import { startKubelet } from '../../kubelet/kubelet.ts'
import { connectCri } from '../../runtime/cri/cri-runtime.ts'
import { componentDeps, runUntilSignal } from '../component-process.ts'
import { addFlags, fileOf, listOf, numberOf, required, type ComponentFlag } from './component-flags.ts'

const flags: readonly ComponentFlag[] = [
  ['--kubeconfig <file>', 'how to reach the API server'],
  ['--config <file>', 'KubeletConfiguration (kubelet.config.k8s.io/v1beta1)'],
  ['--hostname-override <name>', 'name of the node instead of the machine’s'],
  ['--node-ip <ips>', 'addresses of the node'],
  ['--node-labels <labels>', 'labels for the node, key=value,…'],
  ['--root-dir <folder>', 'folder of volumes and other files', '/var/lib/kubelet'],
  ['--container-runtime-endpoint <socket>', 'CRI socket', 'unix:///run/containerd/containerd.sock'],
  ['-v, --v <level>', 'verbosity, as klog counts it', '2'],
]

/** `kubernode kubelet`: a kubelet alone, with upstream's flags and configuration file. */
export function define(command: Command): void {
  addFlags(command, flags)
  command.action(async (given: Record<string, string>) => {
    const deps = await componentDeps('kubelet', numberOf(given['v']!, 'v'))
    const config = await configuration(given['config'])
    const transport = await transportFromKubeconfig(required(given['kubeconfig'], 'kubeconfig'), { deps, userAgent: 'kubelet' })
    const runtime = await connectCri({ ...deps, socket: config.containerRuntimeEndpoint ?? given['containerRuntimeEndpoint']! })
    const hostname = (await import('node:os')).hostname().toLowerCase()
    const kubelet = await startKubelet({
      ...deps,
      client: newClient(transport),
      runtime,
      config,
      nodeName: given['hostnameOverride'] ?? hostname,
      hostname: given['hostnameOverride'] ?? hostname,
      rootDir: given['rootDir']!,
      ...(given['nodeIp'] && { nodeIps: listOf(given['nodeIp'])! }),
      ...(given['nodeLabels'] && { nodeLabels: labelsOf(given['nodeLabels']) }),
    })
    await runUntilSignal(deps, async () => {
      await kubelet.close()
      await runtime.close()
      await transport.close()
    })
  })
}

async function configuration(path: string | undefined): Promise<KubeletConfiguration> {
  const text = fileOf(path, 'config')
  if (text === undefined) return {}
  const { parseYaml } = await import('../../api/codec/yaml.ts')
  const config = parseYaml(text) as KubeletConfiguration | null
  if (config?.kind !== 'KubeletConfiguration') throw new Problem('KN-CONFIG-01', `${path} holds ${config?.kind ?? 'nothing'}: it must be a KubeletConfiguration`, 'give the file of a kubelet', { exitCode: exitCodes.usage })
  return config
}

function labelsOf(text: string): Record<string, string> {
  return Object.fromEntries(
    text.split(',').map((pair) => {
      const at = pair.indexOf('=')
      if (at < 1) throw new Problem('KN-CONFIG-02', `--node-labels has ${JSON.stringify(pair)}: it must be key=value`, 'correct it', { exitCode: exitCodes.usage })
      return [pair.slice(0, at), pair.slice(at + 1)]
    }),
  )
}
