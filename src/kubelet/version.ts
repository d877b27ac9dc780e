/** Upstream's version whose behaviour this is. */
export const upstreamVersion = 'v1.35.4'
