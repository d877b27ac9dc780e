import { chmod, lchown, lstat, readdir } from 'node:fs/promises'
import { join } from 'node:path'

/** Whose a volume shall be. */
export interface Ownership {
  readonly fsGroup: number
  readonly readOnly: boolean
  /** 'OnRootMismatch': a volume whose top is right already is left as it is. */
  readonly policy?: string | undefined
}

const setGroupId = 0o2000

/** Gives a volume to a group: its files can be read (and written), new ones are the group's too. */
export async function giveToGroup(folder: string, ownership: Ownership): Promise<void> {
  if (ownership.policy === 'OnRootMismatch' && (await isGivenAlready(folder, ownership))) return
  await giveTree(folder, ownership)
}

async function isGivenAlready(folder: string, { fsGroup, readOnly }: Ownership): Promise<boolean> {
  const { gid, mode } = await lstat(folder)
  const wanted = (readOnly ? 0o440 : 0o660) | 0o110 | setGroupId
  return gid === fsGroup && (mode & wanted) === wanted
}

async function giveTree(path: string, ownership: Ownership): Promise<void> {
  const info = await lstat(path)
  if (info.isSymbolicLink()) return // Its mode is nobody's; what it leads to is visited by itself.
  let mode = info.mode | (ownership.readOnly ? 0o440 : 0o660)
  if (info.isDirectory()) {
    mode |= 0o110 | setGroupId
    for (const name of await readdir(path)) await giveTree(join(path, name), ownership)
  }
  // A container may put a link in its place at any time: never what that leads to.
  await lchown(path, info.uid, ownership.fsGroup)
  await chmod(path, mode & 0o7777)
}
