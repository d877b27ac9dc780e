import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { runCommand } from '../../src/base/command.ts'
import { findProgram } from '../../src/cluster/host/programs.ts'
import { imageArchive } from '../../src/cluster/image/archive.ts'

/** The test image's name; no registry has it. */
export const testImage = 'kubernode.local/test:1'

/** An image archive with BusyBox, made in a folder: tests need no registry. Installs Debian's static BusyBox where it is missing. */
export async function busyboxArchive(folder: string): Promise<string> {
  if (!isStatic()) await installBusybox()
  const busybox = readFileSync(findProgram('busybox')!)
  const applets = [
    'sh',
    'sleep',
    'cat',
    'echo',
    'env',
    'httpd',
    'wget',
    'nslookup',
    'hostname',
    'ls',
    'touch',
    'sort',
    'true',
    'false',
    'kill',
    'date',
    'mkdir',
    'id',
  ]
  const file = (path: string, content: Buffer | string, mode: number) => ({ path, content: Buffer.from(content), mode })
  const archive = await imageArchive({
    name: testImage,
    architecture: process.arch === 'arm64' ? 'arm64' : 'amd64',
    files: [
      file('bin/busybox', busybox, 0o755),
      ...applets
        .map((name) => file(`bin/${name}`, `#!/bin/busybox sh\nexec /bin/busybox ${name} "$@"\n`, 0o755))
        .filter(({ path }) => path !== 'bin/sh'),
      file('etc/passwd', 'root:x:0:0::/:/bin/sh\n', 0o644),
      file('tmp/.keep', '', 0o644),
    ],
    entrypoint: ['/bin/busybox'],
  })
  const path = join(folder, 'test-image.tar')
  writeFileSync(path, archive)
  return path
}

async function installBusybox(): Promise<void> {
  const apt = (...args: string[]) =>
    runCommand({ file: 'env', args: ['DEBIAN_FRONTEND=noninteractive', 'apt-get', ...args] })
  // The package lists of a fresh machine are absent or old.
  await apt('install', '-y', '-q', 'busybox-static').catch(async () => {
    await apt('update', '-q')
    await apt('install', '-y', '-q', 'busybox-static')
  })
}

/** Whether the machine's BusyBox needs no libraries. */
function isStatic(): boolean {
  const busybox = findProgram('busybox')
  if (!busybox) return false
  // A dynamic program names its interpreter.
  return !readFileSync(busybox).subarray(0, 4096).includes('ld-linux')
}
