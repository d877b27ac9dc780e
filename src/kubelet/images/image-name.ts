/** The parts of an image's name: `docker.io/library/nginx`, tag and digest. */
export interface ImageName {
  readonly registry: string
  readonly repository: string
  readonly tag: string
  readonly digest: string
}

const component = /^[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*$/
const domain =
  /^(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])(?:\.(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9]))*(?::[0-9]+)?$|^\[[0-9a-fA-F:]+\](?::[0-9]+)?$/
const tagPattern = /^\w[\w.-]{0,127}$/
const digestPattern = /^[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}$/
const repositoryLengthMax = 255

/** Takes an image's name apart. Throws with upstream's words when it is none. */
export function parseImageName(image: string): ImageName {
  const invalid = (why: string) => new Error(`couldn't parse image name "${image}": ${why}`)
  if (image === '') throw invalid('invalid reference format')
  const [name = '', digest = '', ...more] = image.split('@')
  if (more.length > 0 || (image.includes('@') && !digestPattern.test(digest))) throw invalid('invalid reference format')
  const colon = name.lastIndexOf(':')
  const hasTag = colon > name.lastIndexOf('/')
  const path = hasTag ? name.slice(0, colon) : name
  const tag = hasTag ? name.slice(colon + 1) : ''
  if (hasTag && !tagPattern.test(tag)) throw invalid('invalid reference format')
  const slash = path.indexOf('/')
  const first = slash < 0 ? '' : path.slice(0, slash)
  const isDomain =
    first !== '' &&
    (first.includes('.') || first.includes(':') || first === 'localhost' || first !== first.toLowerCase())
  const registry = isDomain ? first : 'docker.io'
  const rest = isDomain ? path.slice(slash + 1) : path
  if (isDomain && !domain.test(first)) throw invalid('invalid reference format')
  if (!rest.split('/').every((part) => component.test(part))) {
    const uppercase = rest
      .toLowerCase()
      .split('/')
      .every((part) => component.test(part))
    throw invalid(
      uppercase
        ? 'invalid reference format: repository name (' + rest + ') must be lowercase'
        : 'invalid reference format',
    )
  }
  const repository = !isDomain && !rest.includes('/') ? `library/${rest}` : rest
  if (`${registry}/${repository}`.length > repositoryLengthMax)
    throw invalid(`repository name must not be more than ${repositoryLengthMax} characters`)
  return { registry, repository, tag: tag || (digest ? '' : 'latest'), digest }
}

/** The image with the tag that it has when it names none. */
export function withDefaultTag(image: string): string {
  const { tag, digest } = parseImageName(image)
  return digest || image.endsWith(`:${tag}`) ? image : `${image}:${tag}`
}
