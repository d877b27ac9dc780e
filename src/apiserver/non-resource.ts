import type { Answer } from './answer/answer.ts'
import { textAnswer } from './answer/answer.ts'
import { methodNotAllowed } from './answer/status.ts'
import type { ApiRequest } from './request/api-request.ts'

/** Answers a request for a path that is no resource. */
export type PathHandler = (request: ApiRequest) => Answer | Promise<Answer>

/** A path, or with a slash at its end everything below it, and who answers for it. */
export interface PathRoute {
  readonly path: string
  /** Absent: GET only. */
  readonly methods?: 'any'
  readonly handler: PathHandler
}

/** Paths that are no resources: discovery, health, version, OpenAPI, metrics. */
export class NonResource {
  readonly #exact = new Map<string, PathRoute>()
  readonly #below: PathRoute[] = []
  /** Asked about what no route knows: custom groups that are served elsewhere. */
  readonly fallbacks: ((request: ApiRequest) => Answer | Promise<Answer> | undefined)[] = []

  add(route: PathRoute): void {
    if (route.path.length > 1 && route.path.endsWith('/')) this.#below.push(route)
    else this.#exact.set(route.path, route)
  }

  /** All paths that have a route of their own, sorted. */
  paths(): string[] {
    return [...this.#exact.keys()].sort()
  }

  answer(request: ApiRequest): Answer | Promise<Answer> {
    const { path } = request.info
    if (path.includes('//')) return textAnswer(404, '404 page not found\n')
    const route =
      this.#exact.get(path) ??
      this.#exact.get(path.replace(/\/$/, '')) ??
      this.#below.find(({ path: prefix }) => path.startsWith(prefix))
    if (!route) {
      for (const fallback of this.fallbacks) {
        const answer = fallback(request)
        if (answer) return answer
      }
      return textAnswer(404, '404 page not found\n')
    }
    if (route.methods !== 'any' && request.method !== 'GET') throw methodNotAllowed()
    return route.handler(request)
  }
}
