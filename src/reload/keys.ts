import { createHash } from 'node:crypto'
import type { FastifyBaseLogger } from 'fastify'
import type { Config } from '../config/config.ts'
import { pemOf } from '../config/issuer-keys.ts'
import { keyText } from '../config/setting.ts'
import { settings } from '../config/settings.ts'
import type { TargetConfig } from '../config/targets.ts'
import { VendError } from '../errors.ts'
import { type ConfiguredKey, withText } from '../identity/configured-key.ts'
import { SHARED_KEY, wouldShareKey } from '../identity/shared-keys.ts'
import type { TrustedIssuer } from '../identity/trusted-issuer.ts'
import type { Seal } from '../sessions/seal.ts'
import type { AssumeRoleRequest, KeyedSource } from '../sts/credentials.ts'
import type { Reloader } from './reloads.ts'
import { type Outcome, type SecretFiles, watchSecretFiles } from './secret-files.ts'

/** Counts a changed secret by what became of it. */
export type CountSecret = (
  secret: Pick<SecretFiles, 'secret' | 'target'>,
  result: Outcome['result'] | 'unreadable',
) => void

type Dependencies = Readonly<{ logger: FastifyBaseLogger; count: CountSecret }>

/** Makes a reloader for each group of secrets in files; undefined if none of them is in a file. */
export function watchSecrets(files: readonly (SecretFiles | undefined)[], { logger, count }: Dependencies): Reloader[] {
  return files
    .filter((one) => one !== undefined)
    .map((one) => {
      const { target } = one
      const ofTarget = target === undefined ? logger : logger.child({ target })
      return watchSecretFiles(one, { logger: ofTarget, count: (result) => count(one, result) })
    })
}

/**
 * A target's pair of STS keys, or the half of it that is in a file. A new pair is tested at STS, with `probe`, before it
 * signs for a caller.
 */
export function stsKeys(
  { name, keyFiles }: Pick<TargetConfig, 'name' | 'keyFiles'>,
  sts: KeyedSource,
  { probe, onNewKey }: Readonly<{ probe: AssumeRoleRequest; onNewKey: () => void }>,
): SecretFiles | undefined {
  const inFiles = (['accessKey', 'secretKey'] as const).flatMap((field) => {
    const path = keyFiles[field]
    return path === undefined ? [] : [{ field, path }]
  })
  if (inFiles.length === 0) return undefined
  return {
    secret: 'sts_keys',
    target: name,
    paths: inFiles.map(({ path }) => path),
    current: () => inFiles.map(({ field }) => sts.keys()[field]),
    async take(contents): Promise<Outcome> {
      const formed = contents.every((content) => keyText.safeParse(content).success)
      if (!formed) return { result: 'refused', log: { reason: 'form' } }
      const { accessKey, secretKey } = sts.keys()
      const changed = Object.fromEntries(inFiles.map(({ field }, i) => [field, contents[i]]))
      const keys = { accessKey, secretKey, ...changed }
      const log = { fingerprint: fingerprintOf(keys.accessKey), instead: fingerprintOf(accessKey) }
      try {
        await sts.replaceKeys(keys, probe)
        onNewKey()
        return { result: 'taken', log }
      } catch (error) {
        if (!(error instanceof VendError)) throw error
        const result = error.code === 'upstream_denied' ? 'refused' : 'unavailable'
        return { result, log: { ...log, code: error.code, ...error.log } }
      }
    },
  }
}

/** The keys that seal sessions in Redis. Entries of a key that the new list lacks cannot be opened any more. */
export function cacheKeys({ secretFiles }: Pick<Config, 'secretFiles'>, seal: Seal): SecretFiles | undefined {
  const path = secretFiles.CACHE_ENCRYPTION_KEY
  if (path === undefined) return undefined
  const write = (keys: readonly Buffer[]) => keys.map((key) => key.toString('base64')).join()
  const read = (content: string) => settings.CACHE_ENCRYPTION_KEY.schema.safeParse(content).data
  return {
    secret: 'cache_keys',
    paths: [path],
    clean: (content) => write(read(content) ?? []) || content,
    current: () => [write(seal.keys())],
    async take([content = '']) {
      const keys = read(content)
      if (!keys) return { result: 'refused', log: { reason: 'form' } }
      seal.replaceKeys(keys)
      return { result: 'taken', log: { keys: keys.length } }
    },
  }
}

/** The secrets, public keys and key sets of issuers that are in files. */
export function issuerKeys(issuers: readonly TrustedIssuer[]): SecretFiles[] {
  return issuers.flatMap((trusted) => trusted.keys.flatMap(({ key }) => (key ? issuerKey(trusted, key, issuers) : [])))
}

function issuerKey(
  trusted: TrustedIssuer,
  key: ConfiguredKey,
  issuers: readonly TrustedIssuer[],
): SecretFiles | readonly [] {
  const { kind, file } = key.origin()
  if (file === undefined) return []
  const { name } = trusted.issuer
  return {
    secret: 'issuer_key',
    paths: [file],
    ...(kind === 'public-key' && { clean: pemOf }),
    current: () => [key.text()],
    async take([content = '']) {
      const rules = key.check(content).map(({ rule }) => rule)
      if (rules.length === 0 && wouldShareKey(trusted, withText(key.origin(), content), issuers)) rules.push(SHARED_KEY)
      if (rules.length > 0) return { result: 'refused', log: { issuer: name, rules } }
      key.replace(content)
      return { result: 'taken', log: { issuer: name } }
    },
  }
}

/**
 * A fingerprint that identifies an access key in the log. Secrets have none, because someone could guess them from it.
 */
function fingerprintOf(accessKey: string): string {
  return createHash('sha256').update(accessKey).digest('hex').slice(0, 12)
}
