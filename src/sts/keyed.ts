import type { SigningKeys } from '../lib/signature-v4.ts'
import type { AssumeRoleRequest, Credentials, KeyedSource } from './credentials.ts'

/** Asks one kind of STS. `by` signs; no log may have a part of any of `secrets`. */
type Ask = (
  request: AssumeRoleRequest,
  how: Readonly<{ by: SigningKeys; secrets: () => readonly SigningKeys[]; signal: AbortSignal | undefined }>,
) => Promise<Credentials>

/** A source that begins with these keys. */
export function createKeyedSource(
  { accessKey, secretKey }: SigningKeys,
  { ask, close }: Readonly<{ ask: Ask; close: () => Promise<void> }>,
): KeyedSource {
  let inUse: SigningKeys = { accessKey, secretKey }
  const askBy = (by: SigningKeys, request: AssumeRoleRequest, signal?: AbortSignal) =>
    ask(request, { by, secrets: () => [by, inUse], signal })
  return {
    // Callers of this function cannot pass keys by mistake.
    assumeRole: (request, { signal } = {}) => askBy(inUse, request, signal),
    keys: () => inUse,
    async replaceKeys(keys, probe) {
      await askBy(keys, probe)
      inUse = keys
    },
    close,
  }
}
