import { serverSideApply } from '../../api/apply/server-side-apply.ts'
import { flowSchemas, priorityLevelConfigurations } from '../../api/generated/resources.ts'
import type { FlowSchema, PriorityLevelConfiguration } from '../../api/generated/types/flowcontrol-v1.ts'
import { apiVersionOf, type Frozen } from '../../api/resource.ts'
import { normalise } from '../../api/schema/decode.ts'
import type { Deps } from '../../base/deps.ts'
import type { User } from '../authn/user.ts'
import { follow } from '../registry/follow.ts'
import type { Registry } from '../registry/registry.ts'
import type { Draft } from '../registry/resource-storage.ts'
import type { RequestInfo } from '../request/request-info.ts'
import { timeText } from '../../api/schema/times.ts'
import { matcherOf, type Matcher } from './classify.ts'

const manager = 'api-priority-and-fairness-config-consumer-v1'

/** Sorts requests into flows by the flow schemas, and tells in their conditions which of them lead nowhere. */
export class FlowControl {
  readonly #deps: Deps
  readonly #registry: Registry
  readonly #matchers = new Map<string, Matcher>()
  #ordered: readonly Matcher[] = []
  #closed = false

  private constructor(deps: Deps, registry: Registry) {
    this.#deps = deps
    this.#registry = registry
  }

  /** Follows the configuration. */
  static async start(deps: Deps, registry: Registry): Promise<FlowControl> {
    const control = new FlowControl(deps, registry)
    await follow(registry.storageOfResource(flowSchemas)!.cache, {
      set(entry) {
        control.#matchers.set(entry.name, matcherOf(entry.object as Frozen<FlowSchema>))
        control.#reorder()
        control.#check(entry.name)
      },
      remove(before) {
        control.#matchers.delete(before.name)
        control.#reorder()
      },
    })
    await follow(registry.storageOfResource(priorityLevelConfigurations)!.cache, {
      set: () => control.#checkAll(),
      remove: () => control.#checkAll(),
    })
    return control
  }

  close(): void {
    this.#closed = true
  }

  /** The headers that tell a client how its request was sorted. */
  headersFor(user: User, info: RequestInfo): readonly string[] {
    for (const matcher of this.#ordered) {
      if (!matcher.matches(user, info)) continue
      const level = this.#registry.get(priorityLevelConfigurations, { name: matcher.level })
      return [
        'x-kubernetes-pf-flowschema-uid',
        matcher.uid,
        'x-kubernetes-pf-prioritylevel-uid',
        level?.metadata?.uid ?? '',
      ]
    }
    return []
  }

  #reorder(): void {
    this.#ordered = [...this.#matchers.values()].sort(
      (a, b) => a.precedence - b.precedence || (a.name < b.name ? -1 : 1),
    )
  }

  #checkAll(): void {
    for (const name of this.#matchers.keys()) this.#check(name)
  }

  /** Writes the schema's Dangling condition when it is not right. */
  #check(name: string): void {
    const schema = this.#registry.get(flowSchemas, { name })
    if (!schema || this.#closed) return
    const { status, level } = this.#danglingOf(schema)
    const condition = schema.status?.conditions?.find(({ type }) => type === 'Dangling')
    if (condition?.status === status) return
    this.#write(name, status, level).catch((error: unknown) =>
      this.#deps.log.warn({ err: error, flowSchema: name }, "a flow schema's condition could not be written"),
    )
  }

  #danglingOf({ spec }: Frozen<FlowSchema>): { status: string; level: string } {
    const level = spec?.priorityLevelConfiguration.name ?? ''
    const found: Frozen<PriorityLevelConfiguration> | undefined = this.#registry.get(priorityLevelConfigurations, {
      name: level,
    })
    return { status: found ? 'False' : 'True', level }
  }

  async #write(name: string, status: string, level: string): Promise<void> {
    const storage = this.#registry.storageOfResource(flowSchemas)!
    const nowMs = this.#deps.clock.now()
    const found = status === 'False'
    const condition = {
      type: 'Dangling',
      status,
      lastTransitionTime: timeText(nowMs),
      reason: found ? 'Found' : 'NotFound',
      message: `This FlowSchema references the PriorityLevelConfiguration object named ${JSON.stringify(level)} ${found ? 'and it exists' : 'but there is no such object'}`,
    }
    await storage.change(name, (entry) => {
      const current = entry?.object as Frozen<FlowSchema> | undefined
      if (!current || this.#closed) return { action: 'keep' }
      const applied = {
        apiVersion: apiVersionOf(flowSchemas),
        kind: flowSchemas.kind,
        metadata: { name },
        status: { conditions: [condition] },
      }
      const merged = serverSideApply({
        schema: storage.kind.schema,
        apiVersion: applied.apiVersion,
        kind: applied.kind,
        live: current,
        applied,
        manager,
        force: true,
        subresource: 'status',
        nowMs,
      })
      const draft = normalise(storage.kind.schema, merged) as unknown as Draft
      return { action: 'write', draft }
    })
  }
}
