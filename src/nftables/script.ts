import { isMap } from './nft.ts'
import type { ChainHook, NftStep, SetElement, SetSpec, TableName } from './nft.ts'

/** Elements of one command: a netlink message holds at most 64 KiB of them, and nft splits longer lists itself, at quadratic cost. */
const elementsPerLine = 1000

/** A transaction in nft's own language, a command a line. */
export function scriptOf(steps: readonly NftStep[]): string {
  const lines: string[] = []
  for (const step of steps) writeStep(step, lines)
  return lines.join('\n') + '\n'
}

function writeStep(step: NftStep, lines: string[]): void {
  const table = tableText(step.table)
  switch (step.do) {
    case 'add table':
    case 'delete table':
      lines.push(`${step.do} ${table}`)
      return
    case 'add chain':
      lines.push(`add chain ${table} ${step.chain}${step.hook ? ` { ${hookText(step.hook)} }` : ''}`)
      return
    case 'flush chain':
    case 'delete chain':
      lines.push(`${step.do} ${table} ${step.chain}`)
      return
    case 'add rule':
      lines.push(`add rule ${table} ${step.chain} ${step.rule}`)
      return
    case 'add set':
      lines.push(`add ${wordFor(step.spec)} ${table} ${step.set} { ${specText(step.spec)} }`)
      return
    case 'flush set':
    case 'delete set':
      lines.push(`${step.do.slice(0, -'set'.length)}${wordFor(step.spec)} ${table} ${step.set}`)
      return
    case 'add elements':
    case 'delete elements':
      for (let at = 0; at < step.elements.length; at += elementsPerLine) {
        const part = step.elements.slice(at, at + elementsPerLine)
        lines.push(`${step.do.slice(0, -1)} ${table} ${step.set} { ${part.map(elementText).join(', ')} }`)
      }
  }
}

/** 'ip kubernode-proxy' */
export const tableText = (table: TableName): string => `${table.family} ${table.name}`

const hookText = ({ type, hook, priority }: ChainHook) =>
  `type ${type} hook ${hook} priority ${priority} ; policy accept ;`

const wordFor = (spec: SetSpec) => (isMap(spec) ? 'map' : 'set')

function specText({ type, flags, timeoutSeconds }: SetSpec): string {
  const parts = [`type ${type} ;`]
  if (flags?.length) parts.push(`flags ${flags.join(',')} ;`)
  if (timeoutSeconds !== undefined) parts.push(`timeout ${timeoutSeconds}s ;`)
  return parts.join(' ')
}

const elementText = ({ key, value }: SetElement) => (value === undefined ? key : `${key} : ${value}`)
