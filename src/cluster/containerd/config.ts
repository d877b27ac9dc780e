import type { NodePaths } from '../paths.ts'

/** What a node's containerd is configured from. */
export interface ContainerdOptions {
  readonly paths: NodePaths
  readonly cniPlugins: string
  readonly sandboxImage: string
  /** The process may not lower oom_score_adj (no CAP_SYS_RESOURCE): without the restriction no sandbox starts. */
  readonly restrictOomScore: boolean
  readonly systemdCgroup: boolean
}

const quote = JSON.stringify

/** The configuration file of a node's own containerd. Version 2 of the format is read by 1.x and 2.x alike. */
export function containerdConfig({
  paths,
  cniPlugins,
  sandboxImage,
  restrictOomScore,
  systemdCgroup,
}: ContainerdOptions): string {
  return `# Written by Kubernode at every start.
version = 2
root = ${quote(`${paths.containerd}/root`)}
state = ${quote(`${paths.run}/containerd`)}
# Each is a service that a node does not need.
disabled_plugins = ["io.containerd.snapshotter.v1.aufs", "io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.devmapper", "io.containerd.snapshotter.v1.zfs", "io.containerd.internal.v1.tracing", "io.containerd.tracing.processor.v1.otlp"]

[grpc]
  address = ${quote(paths.containerdSocket)}

[ttrpc]
  address = ${quote(`${paths.containerdSocket}.ttrpc`)}

[debug]
  level = "warn"

[plugins."io.containerd.internal.v1.opt"]
  path = ${quote(`${paths.containerd}/opt`)}

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = ${quote(sandboxImage)}
  restrict_oom_score_adj = ${restrictOomScore}
  stream_server_address = "127.0.0.1"
  stream_server_port = "0"
  enable_unprivileged_ports = true
  enable_unprivileged_icmp = true
  max_container_log_line_size = 16384

  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = ${quote(cniPlugins)}
    conf_dir = ${quote(paths.cniConfig)}

  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = ${quote(`${paths.containerd}/certs.d`)}

  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "runc"
    snapshotter = "overlayfs"

    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"

      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = ${systemdCgroup}
`
}
