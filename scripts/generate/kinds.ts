/** Writes src/api/generated/kinds.json: what discovery, tables and storage know of each served resource. */
import { discovery, readFacts, type ResourceFact } from './facts.ts'
import { definitionOfKind } from './definitions.ts'
import { writeGeneratedJson } from './write.ts'

const columns: Record<string, { name: string; type: string; format: string; priority: number }[]> =
  readFacts('table-columns.json')

/** Where upstream's key layout is not the plural's name. */
const prefixes: Record<string, string> = {
  '/replicationcontrollers': 'controllers',
  '/endpoints': 'services/endpoints',
  '/services': 'services/specs',
  '/nodes': 'minions',
  'networking.k8s.io/ingresses': 'ingress',
  'apiregistration.k8s.io/apiservices': 'apiregistration.k8s.io/apiservices',
  'apiextensions.k8s.io/customresourcedefinitions': 'apiextensions.k8s.io/customresourcedefinitions',
}

/** Kinds that several versions serve: where their objects lie. */
const storedAs: Record<string, string> = {
  'events.k8s.io/v1/Event': '/v1/Event',
  'autoscaling/v1/HorizontalPodAutoscaler': 'autoscaling/v2/HorizontalPodAutoscaler',
}

const kinds = discovery.flatMap((group) =>
  group.versions.flatMap(({ version, resources }) => resources.map((fact) => rowOf(group.name, version, fact))),
)

function rowOf(group: string, version: string, fact: ResourceFact) {
  const { kind } = fact.responseKind
  const id = definitionOfKind(group, version, kind)
  if (!id) throw new Error(`no definition of ${group}/${version} ${kind}`)
  const list = definitionOfKind(group, version, `${kind}List`)
  const stored = storedAs[`${group}/${version}/${kind}`]
  return {
    group,
    version,
    kind,
    plural: fact.resource,
    namespaced: fact.scope === 'Namespaced',
    singular: fact.singularResource,
    definition: id.slice('io.k8s.'.length),
    ...(list && { list: list.slice('io.k8s.'.length) }),
    verbs: fact.verbs.join(' '),
    ...(fact.shortNames && { shortNames: fact.shortNames.join(' ') }),
    ...(fact.categories && { categories: fact.categories.join(' ') }),
    subresources: (fact.subresources ?? []).map((s) =>
      [s.subresource, s.responseKind.group, s.responseKind.version, s.responseKind.kind, s.verbs.join(' ')].join('|'),
    ),
    columns: (columns[`${group ? `${group}/` : ''}${version}/${fact.resource}`] ?? []).map((c) =>
      [c.name, c.type, c.format, c.priority].join('|'),
    ),
    prefix: `/registry/${prefixes[`${group}/${fact.resource}`] ?? fact.resource}/`,
    ...(stored && { storedAs: stored }),
  }
}

writeGeneratedJson('src/api/generated/kinds.json', { kinds })
