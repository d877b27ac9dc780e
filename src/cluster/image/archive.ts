import { createHash } from 'node:crypto'
import type { Pack } from 'tar-stream'

/** One file of an image's only layer. */
export interface ImageFile {
  readonly path: string
  readonly content: Buffer
  readonly mode: number
}

/** What an image archive is made from. */
export interface ImageSpec {
  readonly name: string
  /** As OCI names it: amd64, arm64. */
  readonly architecture: string
  readonly files: readonly ImageFile[]
  readonly entrypoint: readonly string[]
  /** `uid:gid`; root when absent. */
  readonly user?: string
}

const epoch = new Date(0)
const sha256 = (data: Buffer) => createHash('sha256').update(data).digest('hex')

async function tar(fill: (pack: Pack) => void): Promise<Buffer> {
  const { pack } = await import('tar-stream')
  const stream = pack()
  fill(stream)
  stream.finalize()
  const chunks: Buffer[] = []
  for await (const chunk of stream) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

/** An image with one layer as a docker archive, which every container runtime can import. The same input gives the same bytes. */
export async function imageArchive(image: ImageSpec): Promise<Buffer> {
  const layer = await tar((pack) => {
    for (const file of image.files)
      pack.entry({ name: file.path, mode: file.mode, mtime: epoch, uid: 0, gid: 0 }, file.content)
  })
  const layerName = `${sha256(layer)}.tar`
  const config = Buffer.from(
    JSON.stringify({
      architecture: image.architecture,
      os: 'linux',
      created: epoch.toISOString(),
      config: { Entrypoint: image.entrypoint, WorkingDir: '/', ...(image.user && { User: image.user }) },
      rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(layer)}`] },
      history: [{ created: epoch.toISOString(), created_by: 'kubernode' }],
    }),
  )
  const configName = `${sha256(config)}.json`
  const manifest = Buffer.from(JSON.stringify([{ Config: configName, RepoTags: [image.name], Layers: [layerName] }]))
  return tar((pack) => {
    pack.entry({ name: configName, mtime: epoch }, config)
    pack.entry({ name: layerName, mtime: epoch }, layer)
    pack.entry({ name: 'manifest.json', mtime: epoch }, manifest)
  })
}
