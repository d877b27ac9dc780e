import { runCommand } from '../base/command.ts'
import { nftContract } from './contract.ts'
import { realNft } from './real.ts'
import { namespacesMissing, testNamespace } from './test-namespace.ts'

nftContract('real', async (t) => realNft({ run: runCommand, namespacePath: (await testNamespace(t)).path }), {
  skip: namespacesMissing,
})
