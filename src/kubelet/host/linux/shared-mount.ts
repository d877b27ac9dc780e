import { readFile } from 'node:fs/promises'
import { mount } from './mount.ts'

/**
 * Makes the mounts below a folder visible in containers that ask for it (mount propagation). Where systemd started the machine they are; elsewhere the folder
 * is bound onto itself, and that mount is shared. It stays when the kubelet ends, since containers use it; whoever removes the folder unmounts it first.
 */
export async function shareMounts(folder: string): Promise<void> {
  const { path, shared } = mountOf(folder, await readFile('/proc/self/mountinfo', 'utf8'))
  if (shared) return
  if (path !== folder) await mount(['--bind', folder, folder])
  await mount(['--make-rshared', folder])
}

/** The mount that a folder is on: the one with the longest path above it, the newest of equal ones. */
export function mountOf(folder: string, mountinfo: string): { readonly path: string; readonly shared: boolean } {
  let best = { path: '/', shared: false }
  for (const line of mountinfo.split('\n').filter(Boolean)) {
    const [fields = ''] = line.split(' - ')
    const [, , , , path = '', , ...optional] = fields.split(' ')
    const above = folder === path || folder.startsWith(path === '/' ? '/' : `${path}/`)
    if (above && path.length >= best.path.length)
      best = { path, shared: optional.some((field) => field.startsWith('shared:')) }
  }
  return best
}
