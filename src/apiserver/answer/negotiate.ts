import { ApiError, notAcceptable } from '../../api/errors/api-error.ts'

/** What an answer can be written as. */
export type Encoding = 'json' | 'yaml' | 'protobuf'

/** The form in which a client takes its answer. */
export interface Format {
  readonly encoding: Encoding
  /** 'Table' or 'PartialObjectMetadata' instead of the object itself. */
  readonly as: '' | 'Table' | 'PartialObjectMetadata'
  /** Of that form: 'v1' or 'v1beta1'. */
  readonly asVersion: string
  /** It was asked for as a list of them. */
  readonly list: boolean
  /** `stream=watch` was asked for. */
  readonly stream: boolean
  readonly pretty: boolean
}

const encodings: Readonly<Record<string, Encoding>> = {
  'application/json': 'json',
  'application/yaml': 'yaml',
  'application/vnd.kubernetes.protobuf': 'protobuf',
}

/** The content type that an encoding is answered with. */
export const contentTypes: Readonly<Record<Encoding, string>> = {
  json: 'application/json',
  yaml: 'application/yaml',
  protobuf: 'application/vnd.kubernetes.protobuf',
}

/** The usual answer, and the one that `?pretty` asks for. */
export const plainJson: Format = { encoding: 'json', as: '', asVersion: '', list: false, stream: false, pretty: false }
export const prettyJson: Format = { ...plainJson, pretty: true }

/** Headers repeat from request to request, so what they mean is remembered. */
const known = new Map<string, readonly Format[]>()
const knownMax = 500

/** The first form of an Accept header that `can` be given. Throws 406. */
export function negotiate(accept: string | undefined, can: (format: Format) => boolean): Format {
  if (accept === undefined || accept === '') return plainJson
  let formats = known.get(accept)
  if (!formats) {
    formats = parseAccept(accept)
    if (known.size >= knownMax) known.clear()
    known.set(accept, formats)
  }
  for (const format of formats) if (can(format)) return format
  const { status } = notAcceptable(Object.keys(encodings))
  // Upstream tells apart what it never heard of from what it cannot give of this.
  throw new ApiError(Object.keys(encodings).some((type) => accept.includes(type)) ? status : { ...status, details: {} })
}

/** The forms of a header, the most wanted first. */
function parseAccept(accept: string): readonly Format[] {
  const clauses = accept.split(',').map((text, order) => ({ ...parseClause(text), order }))
  clauses.sort((a, b) => b.quality - a.quality || a.order - b.order)
  return clauses.flatMap(({ format }) => (format ? [format] : []))
}

function parseClause(text: string): { format: Format | undefined; quality: number } {
  const [type = '', ...parameters] = text.split(';').map((part) => part.trim())
  const mediaType = type.toLowerCase()
  const encoding = mediaType === '*/*' ? 'json' : encodings[mediaType]
  let quality = 1
  let as = ''
  let version = ''
  let group = ''
  let stream = false
  let pretty = false
  for (const parameter of parameters) {
    const [name = '', value = ''] = parameter.split('=')
    if (name === 'q') quality = Number(value)
    else if (name === 'as') as = value
    else if (name === 'v') version = value
    else if (name === 'g') group = value
    else if (name === 'stream') stream = value === 'watch'
    else if (name === 'pretty') pretty = value === '1' || value === 'true'
  }
  if (!encoding || !(quality > 0)) return { format: undefined, quality: 0 }
  if (as === '') return { format: { encoding, as: '', asVersion: '', list: false, stream, pretty }, quality }
  const form = as === 'PartialObjectMetadataList' ? 'PartialObjectMetadata' : as
  const asked =
    group === 'meta.k8s.io' &&
    (version === 'v1' || version === 'v1beta1') &&
    (form === 'Table' || form === 'PartialObjectMetadata')
  return {
    format: asked
      ? { encoding, as: form as Format['as'], asVersion: version, list: form !== as, stream, pretty }
      : undefined,
    quality,
  }
}

/** What Go reads as true. */
const trueTexts: ReadonlySet<string> = new Set(['1', 't', 'T', 'true', 'TRUE', 'True'])

/** Whether a person seems to be reading: then JSON is indented, as upstream does for these programs. */
export function wantsPretty(query: string | undefined, userAgent: string): boolean {
  if (query !== undefined && query !== '') return trueTexts.has(query)
  return userAgent.startsWith('curl') || userAgent.startsWith('Wget') || userAgent.startsWith('Mozilla/5.0')
}
