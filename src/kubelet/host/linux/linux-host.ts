import { mkdir, realpath } from 'node:fs/promises'
import { join } from 'node:path'
import type { Deps } from '../../../base/deps.ts'
import type { ContainerRuntime } from '../../../runtime/runtime.ts'
import { detectCgroups } from '../../cgroups/detect.ts'
import { KernelPodCgroups, noPodCgroups } from '../../cgroups/pod-cgroups.ts'
import type { KubeletSettings } from '../../config.ts'
import { LinuxVolumes } from '../../volumes/linux-volumes.ts'
import type { Host } from '../host.ts'
import { linuxDial } from './dial.ts'
import { LinuxMachine } from './machine.ts'
import { LinuxPodFiles } from './pod-files.ts'
import { shareMounts } from './shared-mount.ts'

/** What a real machine is used with. */
export interface LinuxHostOptions extends Deps {
  readonly runtime: ContainerRuntime
  readonly settings: KubeletSettings
  /** /var/lib/kubelet */
  readonly rootDir: string
  /** /var/log/containers */
  readonly containerLogsDir: string
  readonly hostname: string
  readonly nodeIps: readonly string[]
  readonly kubeletVersion: string
  readonly cgroupDriver: 'cgroupfs' | 'systemd'
}

/** The machine that this process runs on. */
export async function linuxHost(options: LinuxHostOptions): Promise<Host> {
  const { settings, rootDir, log } = options
  for (const folder of ['pods', 'plugins', 'plugins_registry', 'pod-resources', 'device-plugins', 'seccomp'])
    await mkdir(join(rootDir, folder), { recursive: true, mode: 0o750 })
  await shareMounts(await realpath(rootDir)).catch((error: unknown) =>
    log.warn(
      { err: error },
      'mounts below the kubelet folder cannot be shared with containers: mount propagation does not work',
    ),
  )
  const tree = settings.cgroupsPerQos ? await detectCgroups(options.clock) : undefined
  if (!tree) log.warn({}, 'cgroups cannot be written here: pods have no limits as a whole, only their containers have')
  return {
    needsUpkeep: true,
    machine: new LinuxMachine(options),
    files: new LinuxPodFiles({
      rootDir,
      podLogsDir: settings.podLogsDir,
      containerLogsDir: options.containerLogsDir,
      random: options.random,
    }),
    cgroups: tree
      ? new KernelPodCgroups({
          tree,
          root: settings.cgroupRoot,
          driver: options.cgroupDriver,
          cpuCfsQuota: settings.cpuCfsQuota,
          cpuCfsPeriodUs: settings.cpuCfsPeriodUs,
          podPidsLimit: settings.podPidsLimit,
          log,
        })
      : noPodCgroups,
    dial: linuxDial,
    volumes: (volumes) => new LinuxVolumes({ ...volumes, rootDir }),
  }
}
