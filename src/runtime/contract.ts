import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import type { Clock } from '../base/clock.ts'
import { RuntimeError, type ContainerRuntime } from './runtime.ts'

/** A runtime under test. */
export interface ContractSubject {
  readonly runtime: ContainerRuntime
  /** An image that has a shell, and can be pulled or is there. */
  readonly image: string
  /** The clock that the runtime lives by. */
  readonly clock: Pick<Clock, 'now'>
  /** Lets this much time pass. */
  readonly pass: (ms: number) => Promise<void>
}

const uid = 'c0ffee00-0000-4000-8000-000000000001'
const labels = {
  'io.kubernetes.pod.name': 'contract',
  'io.kubernetes.pod.namespace': 'contract',
  'io.kubernetes.pod.uid': uid,
}

/** The suite that every runtime passes: what the kubelet relies on, at the edges too. */
export function runtimeContract(name: string, start: (t: TestContext) => Promise<ContractSubject>): void {
  const contract = (sentence: string, run: (subject: ContractSubject & Shortcuts) => Promise<void>) =>
    test(`${name}: ${sentence}`, async (t) => {
      const subject = await start(t)
      await run({ ...subject, ...shortcuts(subject) })
    })

  contract('a sandbox is ready with an address, and has its labels', async ({ runtime, sandbox }) => {
    const id = await sandbox()
    const status = await runtime.sandboxStatus(id)
    assert.equal(status?.state, 'SANDBOX_READY')
    assert.match(status?.network?.ip ?? '', /^\d+\.\d+\.\d+\.\d+$/)
    assert.equal(status?.metadata?.attempt, 0)
    const found = await runtime.listSandboxes({ labels: { 'io.kubernetes.pod.uid': uid } })
    assert.deepEqual(
      found.map((one) => one.id),
      [id],
    )
    assert.deepEqual(await runtime.listSandboxes({ labels: { 'io.kubernetes.pod.uid': 'other' } }), [])
  })

  contract(
    'a container is created, runs, and tells how it ended',
    async ({ runtime, clock, sandbox, container, ended }) => {
      const sandboxId = await sandbox()
      const beforeMs = clock.now()
      const id = await container(sandboxId, ['sh', '-c', 'exit 3'])
      assert.equal((await runtime.containerStatus(id))?.state, 'CONTAINER_CREATED')
      await runtime.startContainer(id)
      const status = await ended(id)
      assert.equal(status.exitCode, 3)
      assert.ok(status.startedAt / 1e6 >= beforeMs - 1000)
      assert.ok(status.finishedAt >= status.startedAt)
      assert.equal(status.annotations['contract'], 'yes')
      assert.equal((await runtime.listContainers({ id: sandboxId })).length, 1)
    },
  )

  contract(
    'a container that ends well has exit code 0 and the reason Completed',
    async ({ runtime, sandbox, container, ended }) => {
      const id = await container(await sandbox(), ['true'])
      await runtime.startContainer(id)
      const { exitCode, reason } = await ended(id)
      assert.deepEqual({ exitCode, reason }, { exitCode: 0, reason: 'Completed' })
    },
  )

  contract(
    'a command in a running container gives its output and exit code',
    async ({ runtime, sandbox, container }) => {
      const id = await container(await sandbox(), ['sleep', '1000'])
      await runtime.startContainer(id)
      const { stdout, exitCode } = await runtime.execSync(id, ['sh', '-c', 'echo hello; exit 4'], 5000)
      assert.equal(Buffer.from(stdout).toString(), 'hello\n')
      assert.equal(exitCode, 4)
    },
  )

  contract(
    'stopping ends a container; stopping it again, or one that is gone, succeeds',
    async ({ runtime, sandbox, container, ended }) => {
      const id = await container(await sandbox(), ['sleep', '1000'])
      await runtime.startContainer(id)
      await runtime.stopContainer(id, 1)
      assert.notEqual((await ended(id)).exitCode, 0)
      await runtime.stopContainer(id, 1)
      await runtime.removeContainer(id)
      await runtime.removeContainer(id)
      await runtime.stopContainer(id, 1)
      assert.equal(await runtime.containerStatus(id), undefined)
    },
  )

  contract('starting a container twice is refused', async ({ runtime, sandbox, container }) => {
    const id = await container(await sandbox(), ['sleep', '1000'])
    await runtime.startContainer(id)
    await assert.rejects(runtime.startContainer(id), RuntimeError)
  })

  contract(
    'stopping a sandbox ends its containers and gives its address back; it can be repeated',
    async ({ runtime, sandbox, container }) => {
      const sandboxId = await sandbox()
      const id = await container(sandboxId, ['sleep', '1000'])
      await runtime.startContainer(id)
      await runtime.stopSandbox(sandboxId)
      await runtime.stopSandbox(sandboxId)
      assert.equal((await runtime.sandboxStatus(sandboxId))?.state, 'SANDBOX_NOTREADY')
      assert.equal((await runtime.containerStatus(id))?.state, 'CONTAINER_EXITED')
      await runtime.removeSandbox(sandboxId)
      await runtime.removeSandbox(sandboxId)
      assert.equal(await runtime.sandboxStatus(sandboxId), undefined)
      assert.equal(await runtime.containerStatus(id), undefined)
    },
  )

  contract('who follows what happens hears of an end', async ({ runtime, sandbox, container, pass }) => {
    const id = await container(await sandbox(), ['sleep', '1000'])
    await runtime.startContainer(id)
    const followed = new AbortController()
    const told = (async () => {
      for await (const event of runtime.events(followed.signal)) if (event.ended && event.id === id) return true
      return false
    })()
    await pass(waitMs) // Who follows is told of what comes after.
    await runtime.stopContainer(id, 0)
    assert.equal(await told, true)
    followed.abort()
  })

  contract('a container cannot be created in a sandbox that is gone', async ({ container }) => {
    await assert.rejects(container('no-such-sandbox', ['true']), RuntimeError)
  })

  contract('an image that is not there has no status', async ({ runtime, image }) => {
    assert.equal(await runtime.imageStatus({ image: 'nowhere.invalid/none:1' }), undefined)
    assert.ok(await runtime.imageStatus({ image }))
    assert.ok((await runtime.listImages()).length > 0)
  })

  contract('the runtime and its network are ready', async ({ runtime }) => {
    const { status } = await runtime.status()
    assert.deepEqual(
      status.conditions.filter((one) => ['RuntimeReady', 'NetworkReady'].includes(one.type)).map((one) => one.status),
      [true, true],
    )
  })
}

interface Shortcuts {
  readonly sandbox: () => Promise<string>
  readonly container: (sandboxId: string, command: readonly string[]) => Promise<string>
  readonly ended: (
    containerId: string,
  ) => Promise<NonNullable<Awaited<ReturnType<ContainerRuntime['containerStatus']>>>>
}

/** So often an end is waited for, at this distance. */
const attemptsMax = 100
const waitMs = 50

function shortcuts({ runtime, image, pass }: ContractSubject): Shortcuts {
  const sandboxConfig = {
    metadata: { name: 'contract', namespace: 'contract', uid, attempt: 0 },
    labels,
    logDirectory: '',
    linux: { securityContext: { namespaceOptions: { network: 'POD', pid: 'CONTAINER', ipc: 'POD' } } },
  } as const
  return {
    sandbox: () => runtime.runSandbox(sandboxConfig, ''),
    container: (sandboxId, command) =>
      runtime.createContainer(
        sandboxId,
        {
          metadata: { name: 'main', attempt: 0 },
          image: { image },
          command,
          labels: { ...labels, 'io.kubernetes.container.name': 'main' },
          annotations: { contract: 'yes' },
          linux: { securityContext: { namespaceOptions: { pid: 'CONTAINER' } } },
        },
        sandboxConfig,
      ),
    async ended(id) {
      for (let attempt = 0; attempt < attemptsMax; attempt++) {
        const status = await runtime.containerStatus(id)
        if (status?.state === 'CONTAINER_EXITED') return status
        await pass(waitMs)
      }
      throw new Error(`container ${id} does not end`)
    },
  }
}
