import { existsSync, readdirSync, rmdirSync } from 'node:fs'
import { join } from 'node:path'

const root = '/sys/fs/cgroup'

/** Every hierarchy: one with cgroup v2, one for each controller with v1. */
const hierarchies = () =>
  existsSync(join(root, 'cgroup.controllers'))
    ? [root]
    : existsSync(root)
      ? readdirSync(root).map((name) => join(root, name))
      : []

/** Removes a cgroup and those below it, in every hierarchy. Ones that still hold processes stay. */
export function removeCgroups(path: string): void {
  for (const hierarchy of hierarchies()) removeTree(join(hierarchy, path))
}

function removeTree(folder: string): void {
  if (!existsSync(folder)) return
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory()) removeTree(join(folder, entry.name))
  try {
    rmdirSync(folder)
  } catch {
    // Busy: a process is still in it.
  }
}
