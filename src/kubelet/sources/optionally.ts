import { isNotFound } from '../../api/errors/api-error.ts'

/** What `read` gives; undefined when it is not there and need not be. */
export async function optionally<T>(optional: boolean | undefined, read: () => Promise<T>): Promise<T | undefined> {
  try {
    return await read()
  } catch (error) {
    if (optional && isNotFound(error)) return undefined
    throw error
  }
}
