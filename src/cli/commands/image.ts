import { existsSync } from 'node:fs'
import { hostname } from 'node:os'
import { CommandError } from '../../base/command.ts'
import { ctr } from '../../cluster/containerd/containerd.ts'
import { clusterPaths, type NodePaths } from '../../cluster/paths.ts'
import { exitCodes, Problem } from '../../cluster/problem.ts'
import { runningProcess } from '../../cluster/process/child.ts'
import { containerdPidFile } from '../../cluster/containerd/containerd.ts'
import { nodePlans, requireRecord } from '../../cluster/record.ts'
import type { GlobalFlags } from '../command.ts'
import { outputOf } from '../command.ts'
import type { Output } from '../output.ts'
import { columns, formatted } from '../output.ts'

/** `kubernode image load|list|remove`: the images of every node of a cluster. */
export async function image(
  verb: 'load' | 'list' | 'remove',
  name: string,
  argument: string,
  flags: GlobalFlags,
): Promise<void> {
  const record = requireRecord(name)
  const output = outputOf(flags)
  if (record.simulated)
    throw new Problem(
      'KN-IMAGE-01',
      `the nodes of ${name} are simulated: they have no images`,
      'every image name works there as it is',
    )
  const nodes = nodePlans(record, hostname()).map((plan) => ({
    name: plan.name,
    paths: clusterPaths(name).node(plan.name),
  }))
  const stopped = nodes.find(({ paths }) => runningProcess(containerdPidFile(paths)) === undefined)
  if (stopped)
    throw new Problem(
      'KN-CLUSTER-04',
      `containerd of the node ${stopped.name} is not running`,
      `run \`kubernode up ${name}\``,
    )
  if (verb === 'list') return list(nodes, flags, output)
  if (verb === 'load' && !existsSync(argument))
    throw new Problem(
      'KN-IMAGE-01',
      `the image archive ${argument} does not exist`,
      'name a file that `docker save` or another tool wrote',
      { exitCode: exitCodes.notFound },
    )
  for (const { name: node, paths } of nodes) {
    await output.step(verb === 'load' ? `load into ${node}` : `remove from ${node}`, () =>
      change(verb, argument, paths),
    )
  }
}

async function change(verb: 'load' | 'remove', argument: string, paths: NodePaths): Promise<void> {
  try {
    if (verb === 'load') await ctr(paths, 'images', 'import', argument)
    else await ctr(paths, 'images', 'rm', argument)
  } catch (error) {
    if (!(error instanceof CommandError)) throw error
    const why = error.stderr.trim().split('\n').at(-1) ?? error.message
    throw new Problem(
      'KN-IMAGE-01',
      `${argument}: ${why}`,
      verb === 'load'
        ? 'give an archive as `docker save` or `skopeo copy … oci-archive:` writes it'
        : 'look at `kubernode image list`',
      { cause: error },
    )
  }
}

async function list(
  nodes: readonly { name: string; paths: NodePaths }[],
  flags: GlobalFlags,
  output: Output,
): Promise<void> {
  const rows: { node: string; image: string; size: string }[] = []
  for (const { name, paths } of nodes) {
    const { stdout } = await ctr(paths, 'images', 'list')
    for (const line of stdout.split('\n').slice(1)) {
      const [image = '', , , size = '', unit = ''] = line.split(/\s+/)
      // Every image is also there under its bare digest.
      if (image && !image.startsWith('sha256:')) rows.push({ node: name, image, size: `${size} ${unit}` })
    }
  }
  if (flags.output === 'json' || flags.output === 'yaml')
    output.result(await formatted(flags.output, 'ImageList', rows))
  else output.result(columns([['NODE', 'IMAGE', 'SIZE'], ...rows.map(({ node, image, size }) => [node, image, size])]))
}
