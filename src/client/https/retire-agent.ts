import type { Agent } from 'node:http'

/** Lets go of an agent that is not asked any more: idle connections end now, the others with what they carry. Its own `destroy` would cut requests off in the middle. */
export function retire(agent: Agent): void {
  agent.maxFreeSockets = 0
  for (const sockets of Object.values(agent.freeSockets)) for (const socket of [...(sockets ?? [])]) socket.destroy()
}
