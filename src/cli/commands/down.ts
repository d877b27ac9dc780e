import { requireRecord } from '../../cluster/record.ts'
import { withClusterLock } from '../../cluster/process/lock.ts'
import { takeDown } from '../../cluster/takedown.ts'
import type { GlobalFlags } from '../command.ts'
import { outputOf } from '../command.ts'
import { commandDeps } from '../deps.ts'
import { interruptible } from '../interruption.ts'

/** `kubernode down`: stops a cluster; `up` brings it back as it was. */
export async function down(name: string, flags: GlobalFlags): Promise<void> {
  const record = requireRecord(name)
  const output = outputOf(flags)
  await output.step(`stop ${name}`, (wait) => {
    wait('containers to end')
    return withClusterLock(name, () =>
      interruptible(`run \`kubernode down ${name}\` again to stop the rest`, () => takeDown(record, commandDeps())),
    )
  })
  output.note(`Everything is kept; \`kubernode up${name === 'kubernode' ? '' : ` ${name}`}\` brings it back.`)
}
