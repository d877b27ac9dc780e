import { existsSync } from 'node:fs'
import { clusterPaths } from '../../cluster/paths.ts'
import { clusterNames, requireRecord } from '../../cluster/record.ts'
import { withClusterLock } from '../../cluster/process/lock.ts'
import { remove } from '../../cluster/takedown.ts'
import type { GlobalFlags } from '../command.ts'
import { outputOf } from '../command.ts'
import { commandDeps } from '../deps.ts'
import { interruptible } from '../interruption.ts'

/** `kubernode delete`: stops a cluster and removes everything it has. */
export async function deleteCluster(
  name: string,
  flags: GlobalFlags & { all?: boolean; kubeconfig?: string },
): Promise<void> {
  const output = outputOf(flags)
  const names = flags.all ? clusterNames() : [name]
  for (const each of names) {
    // A folder without a record is a cluster that was made only halfway.
    if (!existsSync(clusterPaths(each).data)) requireRecord(each)
    await output.step(`delete ${each}`, () =>
      withClusterLock(each, () =>
        interruptible(`run \`kubernode delete ${each}\` again to remove the rest`, () =>
          remove(each, commandDeps(), flags.kubeconfig),
        ),
      ),
    )
  }
  if (names.length === 0) output.note('no clusters')
}
