import { arch } from 'node:process'
import { imageArchive } from './archive.ts'
import { pauseProgram } from './pause-program.ts'

/** The sandbox image that the product makes itself. The host part says that no registry has it. */
export const pauseImageName = 'kubernode.local/pause:1'

/** The pause image for this machine's processor as an archive to import. */
export async function pauseImage(): Promise<Buffer> {
  if (arch !== 'x64' && arch !== 'arm64')
    throw new Error(`no pause program for the processor ${arch}: x64 and arm64 are supported`)
  return imageArchive({
    name: pauseImageName,
    architecture: arch === 'x64' ? 'amd64' : 'arm64',
    files: [{ path: 'pause', content: pauseProgram(arch), mode: 0o755 }],
    entrypoint: ['/pause'],
    user: '65535:65535',
  })
}
