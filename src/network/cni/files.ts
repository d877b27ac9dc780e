import { access, mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { networkName, pluginNames } from './config-list.ts'

/** The network plugins are not installed. */
class PluginsMissing extends Error {
  override name = 'PluginsMissing'

  constructor(dirs: readonly string[]) {
    super(
      `the CNI plugins ${pluginNames.join(', ')} are not in ${dirs.join(' nor in ')}: install the package containernetworking-plugins`,
    )
  }
}

/** The first folder that has all plugins. */
export async function findPlugins(dirs: readonly string[]): Promise<string> {
  for (const dir of dirs) {
    const found = await Promise.all(pluginNames.map((name) => exists(join(dir, name))))
    if (found.every(Boolean)) return dir
  }
  throw new PluginsMissing(dirs)
}

const exists = (path: string) =>
  access(path).then(
    () => true,
    () => false,
  )

/** Writes a network configuration whole or not at all: the runtime reads the folder at any moment. Nothing happens when it is there already. */
export async function writeConfigList(dir: string, name: string, list: object): Promise<void> {
  const path = join(dir, name)
  const text = `${JSON.stringify(list, undefined, 2)}\n`
  if ((await readFile(path, 'utf8').catch(() => undefined)) === text) return
  await mkdir(dir, { recursive: true })
  // A name that the runtime does not read: it takes .conf, .conflist and .json.
  const draft = `${path}.draft`
  await writeFile(draft, text, { mode: 0o644 })
  await rename(draft, path)
}

/** Removes the configuration, and the record of addresses given out. */
export async function removeConfigList(dir: string, name: string, ipamDir: string): Promise<void> {
  await Promise.all([
    rm(join(dir, name), { force: true }),
    rm(join(dir, `${name}.draft`), { force: true }),
    rm(join(ipamDir, networkName), { recursive: true, force: true }),
  ])
}
