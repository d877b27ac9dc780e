/** What people who come from kind, k3d and minikube type, and the command that it means here. */
const aliases: readonly (readonly [typed: string, meant: string])[] = [
  ['create cluster', 'up'],
  ['cluster create', 'up'],
  ['cluster start', 'up'],
  ['start', 'up'],
  ['cluster stop', 'down'],
  ['stop', 'down'],
  ['delete cluster', 'delete'],
  ['cluster delete', 'delete'],
  ['delete clusters --all', 'delete --all'],
  ['get clusters', 'list'],
  ['cluster list', 'list'],
  ['get kubeconfig', 'kubeconfig'],
  ['kubeconfig get', 'kubeconfig'],
  ['load image-archive', 'image load'],
  ['image import', 'image load'],
]

/** The arguments with an alias at their beginning replaced by what it means. */
export function withoutAliases(args: readonly string[]): readonly string[] {
  for (const [typed, meant] of aliases) {
    const words = typed.split(' ')
    if (words.every((word, i) => args[i] === word)) return [...meant.split(' '), ...args.slice(words.length)]
  }
  return args
}
