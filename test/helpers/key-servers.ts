import type { KeyObject } from 'node:crypto'
import type { RequestListener } from 'node:http'
import { keys } from './tokens.ts'

/** A public key as a key set has it. */
export const jwk = (
  kid: string | undefined,
  key: KeyObject = keys.rsa.publicKey,
  more: Record<string, unknown> = {},
) => ({
  ...key.export({ format: 'jwk' }),
  ...(kid !== undefined && { kid }),
  use: 'sig',
  ...more,
})

/** A key server that can be told to die, and which counts who asks it. */
export function keyServer(document: () => unknown) {
  const asked: string[] = []
  let dead = false
  const handler: RequestListener = (request, response) => {
    asked.push(request.url ?? '')
    if (dead) request.socket.destroy()
    else response.setHeader('content-type', 'application/json').end(JSON.stringify(document()))
  }
  return {
    asked,
    handler,
    die: () => {
      dead = true
    },
    live: () => {
      dead = false
    },
  }
}
