import { containerLog, type LogKeeper } from './endpoints/container-logs.ts'
import { Refusal } from './request.ts'

/** Answers for the logs of a kubelet without a connection to it: as its server does, for whoever is in the same process. */
export const localLogs = (keeper: LogKeeper) => ({
  async log(
    pod: { readonly namespace: string; readonly name: string },
    container: string,
    options: { readonly query: URLSearchParams; readonly signal: AbortSignal },
  ) {
    try {
      return { code: 200 as const, body: await containerLog(keeper, { ...pod, container }, options) }
    } catch (error) {
      if (error instanceof Refusal) return { code: error.code, text: error.message }
      throw error
    }
  },
})
