import { homedir } from 'node:os'
import { join } from 'node:path'

/** Where a cluster keeps its files. See docs/reference/files.md. */
export interface ClusterPaths {
  /** What must survive: store, certificates, configuration, node data. */
  readonly data: string
  /** Sockets, process ids, locks. */
  readonly run: string
  readonly pki: string
  readonly store: string
  readonly logs: string
  /** The configuration that the cluster was made with. */
  readonly config: string
  /** The daemon's process id; held locked while it runs. */
  readonly pid: string
  readonly adminKubeconfig: string
  /** A folder for each node that runs containers. */
  readonly nodes: string
  node(name: string): NodePaths
}

/** Where one node keeps its files. */
export interface NodePaths {
  readonly data: string
  readonly run: string
  readonly kubelet: string
  readonly podLogs: string
  readonly containerLogs: string
  readonly containerd: string
  readonly containerdSocket: string
  readonly cniConfig: string
  readonly cniState: string
}

/** The folders under which every cluster has its own, by who asks: root's are system-wide, a user's follow the XDG rules. */
export function baseFolders(env: NodeJS.ProcessEnv, isRoot: boolean): { data: string; run: string } {
  if (env['KUBERNODE_HOME'])
    return { data: join(env['KUBERNODE_HOME'], 'data'), run: join(env['KUBERNODE_HOME'], 'run') }
  if (isRoot) return { data: '/var/lib/kubernode', run: '/run/kubernode' }
  const data = env['XDG_DATA_HOME'] ?? join(homedir(), '.local/share')
  return {
    data: join(data, 'kubernode'),
    run: env['XDG_RUNTIME_DIR'] ? join(env['XDG_RUNTIME_DIR'], 'kubernode') : join(data, 'kubernode/run'),
  }
}

/** The files of the cluster `name`. */
export function clusterPaths(
  name: string,
  env: NodeJS.ProcessEnv = process.env,
  isRoot: boolean = process.getuid?.() === 0,
): ClusterPaths {
  const base = baseFolders(env, isRoot)
  const [data, run] = [join(base.data, name), join(base.run, name)]
  return {
    data,
    run,
    pki: join(data, 'pki'),
    store: join(data, 'store'),
    logs: join(data, 'logs'),
    config: join(data, 'cluster.json'),
    pid: join(run, 'kubernode.pid'),
    adminKubeconfig: join(data, 'admin.kubeconfig'),
    nodes: join(data, 'nodes'),
    node: (node) => nodePaths(join(data, 'nodes', node), join(run, 'nodes', node)),
  }
}

function nodePaths(data: string, run: string): NodePaths {
  return {
    data,
    run,
    kubelet: join(data, 'kubelet'),
    podLogs: join(data, 'log/pods'),
    containerLogs: join(data, 'log/containers'),
    containerd: join(data, 'containerd'),
    containerdSocket: join(run, 'containerd.sock'),
    cniConfig: join(data, 'cni/net.d'),
    cniState: join(data, 'cni/state'),
  }
}
