import manifest from '../../../package.json' with { type: 'json' }
import type { GlobalFlags } from '../command.ts'
import { outputOf } from '../command.ts'
import { formatted } from '../output.ts'

/** `kubernode version`: one number answers which Kubernetes this is. */
export async function version(flags: GlobalFlags): Promise<void> {
  const { version } = manifest
  const output = outputOf(flags)
  if (flags.output === 'json' || flags.output === 'yaml')
    output.result(await formatted(flags.output, 'VersionList', [{ version, node: process.version }]))
  else output.result(`kubernode ${version} (Kubernetes v1.35, Node ${process.version})`)
}
