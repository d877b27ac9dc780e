import { ApiError, expired } from '../../api/errors/api-error.ts'

/** 504: the asked resource version does not exist yet, in upstream's words. */
export const tooLargeResourceVersion = (asked: number, current: number): ApiError =>
  new ApiError({
    kind: 'Status',
    apiVersion: 'v1',
    metadata: {},
    status: 'Failure',
    message: `Timeout: Too large resource version: ${asked}, current: ${current}`,
    reason: 'Timeout',
    details: {
      causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
      retryAfterSeconds: 1,
    },
    code: 504,
  })

/** 410: a list at a resource version that is gone. */
export const listExpired = (): ApiError => expired('The resourceVersion for the provided list is too old.')

/** 410: a watch from a resource version that is gone. */
export const watchExpired = (asked: number, oldest: number): ApiError =>
  expired(`too old resource version: ${asked} (${oldest})`)
