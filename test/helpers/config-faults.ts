import type { Test } from 'tap'
import { readConfig } from '../../src/config/config.ts'
import type { Environment } from '../../src/config/environment.ts'
import { ConfigError, type ConfigFault } from '../../src/config/faults.ts'
import { environment } from './build.ts'
import { certificateOf } from './certificate.ts'
import { jwk } from './key-servers.ts'
import { keys, pem } from './tokens.ts'

/** No variable of a single issuer: what `JWT_ISSUERS_FILE` wants. */
export const NO_SINGLE_ISSUER: Environment = { JWT_ISSUER: '', JWT_AUDIENCE: '', JWT_SECRET: '' }

/** The error that these changes to a good environment bring; undefined when they are accepted. */
export function configError(changes: Environment, options: { sandbox?: boolean } = {}): ConfigError | undefined {
  try {
    readConfig({ ...environment, ...changes }, options)
    return undefined
  } catch (error) {
    if (error instanceof ConfigError) return error
    throw error
  }
}

/** The only target of a configuration. */
export function onlyTargetIn({ targets }: ReturnType<typeof readConfig>) {
  const [target] = targets
  if (!target || targets.length > 1) throw new Error('there is not one target')
  return target
}

/** What is told of these changes; nothing when they are accepted. */
export function configFaults(changes: Environment, options: { sandbox?: boolean } = {}): readonly ConfigFault[] {
  return configError(changes, options)?.faults ?? []
}

/** `<variable>: <rule>` for each fault, in order. */
export function faultLines(changes: Environment, options: { sandbox?: boolean } = {}): string[] {
  return configFaults(changes, options).map(({ variable, rule }) => `${variable}: ${rule}`)
}

/**
 * An environment whose issuers stand in a file of this content, beside `hmac.txt`, `empty.txt`, `key.pem`, `ca.pem`,
 * `set.json`, `private.json` and `long.json`.
 */
export function issuersFile(t: Test, content: unknown, policies?: Readonly<Record<string, string>>): Environment {
  const dir = t.testdir({
    'issuers.yaml': typeof content === 'string' ? content : JSON.stringify(content),
    'hmac.txt': `${keys.hmac}\n`,
    'empty.txt': '\n',
    'key.pem': pem(keys.rsa.publicKey),
    'ca.pem': certificateOf(keys.rsa),
    'set.json': JSON.stringify({ keys: [jwk('a')] }),
    'long.json': JSON.stringify({ keys: [jwk('a')], padding: 'x'.repeat(65_536) }),
    'private.json': JSON.stringify({ keys: [jwk('a', keys.rsa.privateKey)] }),
    policies: { ...policies },
  })
  const env = { ...NO_SINGLE_ISSUER, JWT_ISSUERS_FILE: `${dir}/issuers.yaml` }
  return policies ? { ...env, POLICIES_DIR: `${dir}/policies` } : env
}
