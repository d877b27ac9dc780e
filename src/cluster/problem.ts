/**
 * What can go wrong outside the API: every message a person can meet says what is wrong, with the actual value, and what to do. The code is stable
 * and is a heading of docs/reference/problems.md; a test proves that each is there.
 */
export const problemCodes = {
  'KN-CONFIG-01': 'the configuration file cannot be used',
  'KN-CONFIG-02': 'a setting has a value that cannot be used',
  'KN-HOST-01': 'a needed program is missing',
  'KN-HOST-02': 'system packages could not be installed',
  'KN-HOST-03': 'the machine is a node of another cluster already',
  'KN-PORT-01': 'a port is already in use',
  'KN-DISK-01': 'a file or folder could not be written',
  'KN-CLUSTER-01': 'no such cluster',
  'KN-CLUSTER-02': 'the cluster did not become ready in time',
  'KN-CLUSTER-03': 'the cluster process ended',
  'KN-CLUSTER-04': 'the cluster is not running',
  'KN-CLUSTER-05': 'another command is working on the cluster',
  'KN-CLUSTER-06': 'the command was interrupted',
  'KN-CONTAINERD-01': 'containerd did not start',
  'KN-IMAGE-01': 'the image archive cannot be loaded',
  'KN-KUBECONFIG-01': 'the kubeconfig cannot be read or written',
} as const

/** The stable code of a problem. */
export type ProblemCode = keyof typeof problemCodes

/** Exit codes of the command line, as CONTRIBUTING.md lists them. */
export const exitCodes = {
  failed: 1,
  usage: 2,
  hostNotFit: 3,
  notFound: 4,
  timeout: 5,
  degraded: 6,
  interrupted: 130,
  terminated: 143,
} as const

/** A failure that a person can do something about. */
export class Problem extends Error {
  override name = 'Problem'
  readonly code: ProblemCode
  /** What to do, as a sentence or a command. */
  readonly fix: string
  readonly exitCode: number

  constructor(code: ProblemCode, what: string, fix: string, options: ErrorOptions & { exitCode?: number } = {}) {
    super(what, options)
    this.code = code
    this.fix = fix
    this.exitCode = options.exitCode ?? exitCodes.failed
  }
}
