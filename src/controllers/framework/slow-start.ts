/**
 * Calls `act` `count` times: once, then twice at the same time, then four times … and stops after a batch in which one failed, so that a quota
 * that refuses one refuses few. Gives how many succeeded, and the first failure.
 */
export async function slowStart(
  count: number,
  act: (index: number) => Promise<void>,
): Promise<{ succeeded: number; failure?: unknown }> {
  let succeeded = 0
  for (let batch = Math.min(1, count), at = 0; batch > 0; at += batch, batch = Math.min(2 * batch, count - at)) {
    const results = await Promise.allSettled(Array.from({ length: batch }, (_, i) => act(at + i)))
    succeeded += results.filter(({ status }) => status === 'fulfilled').length
    const failed = results.find((result) => result.status === 'rejected')
    if (failed) return { succeeded, failure: failed.reason }
  }
  return { succeeded }
}
