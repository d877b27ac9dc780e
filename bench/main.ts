import type { Figure } from './measure.ts'

/** `npm run bench`, or `npm run bench -- store cache` for some of it. Prints a Markdown table. */
const suites: Readonly<Record<string, () => Promise<Figure[]>>> = {
  store: async () => (await import('./store.ts')).storeFigures(),
  cache: async () => (await import('./cache.ts')).cacheFigures(),
  watch: async () => (await import('./watch.ts')).watchFigures(),
  library: async () => (await import('./library.ts')).libraryFigures(),
  pods: async () => (await import('./pods.ts')).podFigures(),
  cluster: async () => (await import('./cluster.ts')).clusterFigures(),
}

const asked = process.argv.slice(2)
const unknown = asked.find((name) => !suites[name])
if (unknown !== undefined) {
  console.error(`no benchmark is called "${unknown}"; there are: ${Object.keys(suites).join(', ')}`)
  process.exit(2)
}

// Clusters are started as `npm start` does it: from the bundle.
await import('../scripts/bundle.ts')
console.log('| what | figure | target | met |\n|---|---:|---:|---|')
for (const name of asked.length > 0 ? asked : Object.keys(suites)) {
  for (const figure of await suites[name]!()) console.log(rowOf(figure))
}

function rowOf({ name, value, unit, target }: Figure): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2
  return `| ${name} | ${value.toLocaleString('en', { maximumFractionDigits: digits })} ${unit} | ${target?.text ?? ''} | ${target ? (target.met ? 'yes' : '**no**') : ''} |`
}
