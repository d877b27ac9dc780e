import { open } from 'node:fs/promises'
import type { ContainerStatus } from '../../runtime/cri/generated/cri.ts'
import { terminationMessagePathAnnotation, terminationMessagePolicyAnnotation } from './labels.ts'

/** Of a termination message, and of the logs that stand in for one. */
const messageBytesMax = 4096
const fallbackBytesMax = 2048
const fallbackLinesMax = 80

/** What an ended container left to say: its termination file, or the end of its log when it failed and asked for that. */
export async function terminationMessage(status: ContainerStatus): Promise<string> {
  const path = status.annotations[terminationMessagePathAnnotation] ?? ''
  const fallback =
    status.annotations[terminationMessagePolicyAnnotation] === 'FallbackToLogsOnError' &&
    status.exitCode !== 0 &&
    status.reason !== 'ContainerCannotRun'
  const mount = path ? status.mounts.find(({ containerPath }) => containerPath === absolute(path)) : undefined
  if (mount) {
    try {
      const text = await tail(mount.hostPath, messageBytesMax)
      if (text !== '' || !fallback) return text
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT')
        return `Error on reading termination log ${mount.hostPath}: ${(error as Error).message}`
    }
  }
  if (!fallback || !status.logPath) return ''
  try {
    return lastLines(await tail(status.logPath, 4 * fallbackBytesMax))
  } catch (error) {
    return `Error on reading termination message from logs: ${(error as Error).message}`
  }
}

const absolute = (path: string) => (path.startsWith('/') ? path : `/${path}`)

/** The last `bytesMax` bytes of a file. */
async function tail(path: string, bytesMax: number): Promise<string> {
  await using file = await open(path, 'r')
  const { size } = await file.stat()
  const length = Math.min(size, bytesMax)
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, size - length)
  return buffer.toString('utf8', 0, bytesRead)
}

/** The messages of the last lines of a log in CRI's format (`time stream tag message`), as many as fit. */
function lastLines(log: string): string {
  const lines = log.split('\n').filter((line) => /^\S+ (stdout|stderr) [PF]/.test(line))
  let text = ''
  for (const line of lines.slice(-fallbackLinesMax)) {
    const [, , tag = '', ...rest] = line.split(' ')
    text += rest.join(' ') + (tag.startsWith('P') ? '' : '\n')
  }
  return Buffer.from(text).subarray(-fallbackBytesMax).toString('utf8')
}
