import { FunctionTable, type Overload } from '../functions.ts'
import { kubernetesLibrary } from './kubernetes.ts'
import { listLibrary } from './lists.ts'
import { standardLibrary } from './standard.ts'
import { textLibrary } from './texts.ts'

/** What all expressions of the API have, wherever they stand. */
export const baseOverloads: readonly Overload[] = [
  ...standardLibrary,
  ...textLibrary,
  ...listLibrary,
  ...kubernetesLibrary,
]

let table: FunctionTable | undefined

/** The same as a table, made when first asked for. */
export const baseFunctions = (): FunctionTable => (table ??= new FunctionTable(baseOverloads))
