import type { Command } from 'commander'
import { goDurationMs } from '../../base/go-duration.ts'
import { exitCodes, Problem } from '../../cluster/problem.ts'
import { readFileIfThere } from '../../cluster/files.ts'

/** A flag of a component, named as upstream names it. */
export type ComponentFlag = readonly [flag: string, help: string, fallback?: string]

/** Adds flags to a component's command. Flags that may be repeated or hold lists are given as one text. */
export function addFlags(command: Command, flags: readonly ComponentFlag[]): void {
  for (const [flag, help, fallback] of flags) {
    if (fallback === undefined) command.option(flag, help)
    else command.option(flag, help, fallback)
  }
}

/** The text of a file that a flag names. */
export function fileOf(path: string | undefined, flag: string): string | undefined {
  if (path === undefined) return undefined
  const text = readFileIfThere(path)
  if (text === undefined)
    throw new Problem('KN-CONFIG-02', `--${flag} is ${path}, which does not exist`, 'name an existing file', {
      exitCode: exitCodes.usage,
    })
  return text
}

/** What a component's configuration file says; undefined when there is none. Whatever is wrong in it is told with the file's name. */
export function configOf<T>(path: string | undefined, read: (text: string) => T): T | undefined {
  const text = fileOf(path, 'config')
  if (text === undefined) return undefined
  try {
    return read(text)
  } catch (error) {
    throw new Problem(
      'KN-CONFIG-01',
      `${path}: ${error instanceof Error ? error.message : String(error)}`,
      'correct the file',
      { exitCode: exitCodes.usage, cause: error },
    )
  }
}

/** 'a,b' as a list; absent stays absent. */
export const listOf = (text: string | undefined): readonly string[] | undefined => text?.split(',').filter(Boolean)

/** A whole number that a flag gives. */
export function numberOf(text: string, flag: string): number {
  if (!/^\d+$/.test(text))
    throw new Problem('KN-CONFIG-02', `--${flag} is ${JSON.stringify(text)}: it must be a whole number`, 'correct it', {
      exitCode: exitCodes.usage,
    })
  return Number(text)
}

/** Milliseconds of a length of time that a flag gives, as Go writes it. */
export function durationOf(text: string, flag: string): number {
  const ms = goDurationMs(text)
  if (ms === undefined || ms < 0)
    throw new Problem(
      'KN-CONFIG-02',
      `--${flag} is ${JSON.stringify(text)}: it must be a duration such as 90s or 1h30m`,
      'correct it',
      { exitCode: exitCodes.usage },
    )
  return ms
}

/** A truth value that a flag gives: `--flag`, `--flag=true`, `--flag=false`. */
export function booleanOf(value: string | boolean | undefined, flag: string): boolean | undefined {
  if (value === undefined || typeof value === 'boolean') return value
  if (value === 'true' || value === 'false') return value === 'true'
  throw new Problem('KN-CONFIG-02', `--${flag} is ${JSON.stringify(value)}: it must be true or false`, 'correct it', {
    exitCode: exitCodes.usage,
  })
}

/** A flag without which the component cannot start. */
export function required(value: string | undefined, flag: string): string {
  if (value === undefined)
    throw new Problem('KN-CONFIG-02', `--${flag} is missing`, `give it: --${flag} FILE`, { exitCode: exitCodes.usage })
  return value
}
