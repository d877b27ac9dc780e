import type {
  ExecAction,
  GRPCAction,
  HTTPGetAction,
  Lifecycle,
  PodOS,
  Probe,
  SleepAction,
  TCPSocketAction,
} from '../../generated/types/core-v1.ts'
import type { IntOrString } from '../../generated/types/meta-v1.ts'
import type { Frozen } from '../../resource.ts'
import type { FieldErrors, FieldPath } from '../../validation/field.ts'
import { isHttpHeaderName, isPortName, isPortNumber, negativeText } from '../../validation/names.ts'

/** What a probe or a lifecycle hook does: exactly one of these. */
interface Handler {
  readonly exec?: Frozen<ExecAction>
  readonly httpGet?: Frozen<HTTPGetAction>
  readonly tcpSocket?: Frozen<TCPSocketAction>
  readonly grpc?: Frozen<GRPCAction>
  readonly sleep?: Frozen<SleepAction>
}

/** The three probes of a container. */
export function checkProbes(
  {
    livenessProbe,
    readinessProbe,
    startupProbe,
  }: {
    readonly livenessProbe?: Frozen<Probe>
    readonly readinessProbe?: Frozen<Probe>
    readonly startupProbe?: Frozen<Probe>
  },
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (livenessProbe) checkProbe(livenessProbe, at.child('livenessProbe'), errors, true)
  if (readinessProbe) {
    checkProbe(readinessProbe, at.child('readinessProbe'), errors, false)
    const { terminationGracePeriodSeconds: seconds } = readinessProbe
    if (seconds !== undefined)
      errors.invalid(
        at.child('readinessProbe', 'terminationGracePeriodSeconds'),
        seconds,
        'must not be set for readinessProbes',
      )
  }
  if (startupProbe) checkProbe(startupProbe, at.child('startupProbe'), errors, true)
}

const counts = [
  'initialDelaySeconds',
  'timeoutSeconds',
  'periodSeconds',
  'successThreshold',
  'failureThreshold',
] as const

function checkProbe(probe: Frozen<Probe>, at: FieldPath, errors: FieldErrors, oneSuccess: boolean): void {
  checkHandler(probe, undefined, at, errors)
  for (const name of counts) {
    const value = probe[name] ?? 0
    if (value < 0) errors.invalid(at.child(name), value, negativeText)
  }
  const { terminationGracePeriodSeconds: seconds, successThreshold } = probe
  if (seconds !== undefined && seconds <= 0)
    errors.invalid(at.child('terminationGracePeriodSeconds'), seconds, 'must be greater than 0')
  if (oneSuccess && successThreshold !== 1)
    errors.invalid(at.child('successThreshold'), successThreshold ?? 0, 'must be 1')
}

const more = 'may not specify more than 1 handler type'

function checkHandler(handler: Handler, graceSeconds: number | undefined, at: FieldPath, errors: FieldErrors): void {
  let handlers = 0
  if (handler.exec) {
    handlers++
    if (!handler.exec.command?.length) errors.required(at.child('exec', 'command'))
  }
  if (handler.httpGet) {
    if (handlers++) errors.forbidden(at.child('httpGet'), more)
    else checkHttpGet(handler.httpGet, at.child('httpGet'), errors)
  }
  if (handler.tcpSocket) {
    if (handlers++) errors.forbidden(at.child('tcpSocket'), more)
    else checkPort(handler.tcpSocket.port, at.child('tcpSocket', 'port'), errors)
  }
  if (handler.grpc) {
    if (handlers++) errors.forbidden(at.child('grpc'), more)
    else checkPort(handler.grpc.port, at.child('grpc', 'port'), errors)
  }
  if (handler.sleep) {
    if (handlers++) errors.forbidden(at.child('sleep'), more)
    else if (graceSeconds !== undefined) {
      const { seconds = 0 } = handler.sleep
      if (seconds < 0 || seconds > graceSeconds)
        errors.invalid(
          at.child('sleep'),
          seconds,
          `must be non-negative and less than terminationGracePeriodSeconds (${graceSeconds})`,
        )
    }
  }
  if (!handlers) errors.required(at, 'must specify a handler type')
}

function checkHttpGet(
  { path, port, scheme = '', httpHeaders }: Frozen<HTTPGetAction>,
  at: FieldPath,
  errors: FieldErrors,
): void {
  if (!path) errors.required(at.child('path'))
  checkPort(port, at.child('port'), errors)
  if (scheme !== 'HTTP' && scheme !== 'HTTPS') errors.notSupported(at.child('scheme'), scheme, ['HTTP', 'HTTPS'])
  for (const { name = '' } of httpHeaders ?? [])
    for (const text of isHttpHeaderName(name)) errors.invalid(at.child('httpHeaders'), name, text)
}

/** A port by number or by name. */
export function checkPort(port: IntOrString | undefined, at: FieldPath, errors: FieldErrors): void {
  if (typeof port === 'string') for (const text of isPortName(port)) errors.invalid(at, port, text)
  else for (const text of isPortNumber(port ?? 0)) errors.invalid(at, port ?? 0, text)
}

const realtime = Array.from({ length: 15 }, (_, i) => i + 1)
const signals = [
  ...[
    'ABRT',
    'ALRM',
    'BUS',
    'CHLD',
    'CLD',
    'CONT',
    'FPE',
    'HUP',
    'ILL',
    'INT',
    'IO',
    'IOT',
    'KILL',
    'PIPE',
    'POLL',
    'PROF',
    'PWR',
    'QUIT',
    'SEGV',
    'STKFLT',
    'STOP',
    'SYS',
    'TERM',
    'TRAP',
  ],
  ...['TSTP', 'TTIN', 'TTOU', 'URG', 'USR1', 'USR2', 'VTALRM', 'WINCH', 'XCPU', 'XFSZ', 'RTMIN', 'RTMAX'],
  ...realtime.map((i) => `RTMIN+${i}`),
  ...realtime.slice(0, 14).map((i) => `RTMAX-${i}`),
]
  .map((name) => `SIG${name}`)
  .toSorted()

/** Hooks and the stop signal of a container. */
export function checkLifecycle(
  { postStart, preStop, stopSignal }: Frozen<Lifecycle>,
  at: FieldPath,
  errors: FieldErrors,
  { graceSeconds, os }: { graceSeconds: number | undefined; os: Frozen<PodOS> | undefined },
): void {
  if (postStart) checkHandler(postStart, graceSeconds, at.child('postStart'), errors)
  if (preStop) checkHandler(preStop, graceSeconds, at.child('preStop'), errors)
  if (stopSignal === undefined) return
  if (!os) return errors.forbidden(at.child('stopSignal'), 'may not be set for containers with empty `spec.os.name`')
  const supported = os.name === 'windows' ? ['SIGKILL', 'SIGTERM'] : os.name === 'linux' ? signals : undefined
  if (supported && !supported.includes(stopSignal)) errors.notSupported(at.child('stopSignal'), stopSignal, supported)
}
