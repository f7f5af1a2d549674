import { existsSync } from 'node:fs'
import { relative } from 'node:path'
import type { z } from 'zod'
import { SHIPPED_POLICIES } from '../config/config.ts'
import type { Environment } from '../config/environment.ts'
import { type IssuerOutline, issuerOutlines } from '../config/issuers-file.ts'
import { settings } from '../config/settings.ts'
import { ONLY_ISSUER } from '../config/single-issuer.ts'
import { accountOf, MIN_SESSION_SECONDS } from '../config/source.ts'
import { ONLY_TARGET, readTargetsWithoutKeys } from '../config/targets.ts'
import { checkedIssuers, type LintSettings } from '../policy/check/lint/rule.ts'
import type { Targets } from '../policy/grant/target.ts'
import { CommandError } from './io.ts'

/** The documentation's values, for templates that are checked before there is a configuration. */
const SCENARIO = {
  JDCLOUD_ACCOUNT_ID: '111111111111',
  AWS_STS_ROLE_ARN: 'arn:aws:iam::111111111111:role/test-role',
  OSS_BUCKET: 'test-app',
  OSS_REGION: 'cn-north-1',
}

/** Files and names that stand in for those of the service's variables. */
type Given = Readonly<{ issuer?: readonly string[]; targets?: string }>

/**
 * The settings that templates are checked against, by target, from the service's variables. Reads no secret.
 * @throws {CommandError} for a variable or a file that the service would refuse as well
 */
export function lintSettings(env: Environment, { issuer, targets = env.TARGETS_FILE }: Given): Targets<LintSettings> {
  const issuers = issuer?.map((name): IssuerOutline => ({ name })) ?? configuredIssuers(env)
  const ofIssuers = { severalIssuers: issuers.length > 1, ...checkedIssuers(issuers) }
  if (!targets) return new Map([[ONLY_TARGET, { ...singleTarget(env), ...ofIssuers }]])
  const faults: string[] = []
  const read = readTargetsWithoutKeys(targets, (variable, rule, remedy) =>
    faults.push(`${variable}: ${rule} (${remedy})`),
  )
  if (faults.length > 0) throw new CommandError(faults.join('\n'), 2)
  return new Map(
    read.map(({ name, oss: { account, bucket, region }, sts: { minSessionSeconds, maxSessionSeconds } }) => [
      name,
      { target: name, account, bucket, region, minSessionSeconds, maxSessionSeconds, ...ofIssuers },
    ]),
  )
}

function singleTarget(env: Environment): Omit<LintSettings, 'issuers' | 'severalIssuers'> {
  const read = <S extends z.ZodType>(name: string, { schema, rule }: { schema: S; rule: string }, fallback: string) => {
    const parsed = schema.safeParse(env[name] || fallback)
    if (parsed.success) return parsed.data
    throw new CommandError(`${name} ${rule}`, 2)
  }
  const { CREDENTIAL_SOURCE, OSS_BUCKET, OSS_REGION } = settings
  const source = read('CREDENTIAL_SOURCE', CREDENTIAL_SOURCE, CREDENTIAL_SOURCE.default)
  const { JDCLOUD_ACCOUNT_ID, AWS_STS_ROLE_ARN } = settings
  const account =
    source === 'jdcloud'
      ? read('JDCLOUD_ACCOUNT_ID', JDCLOUD_ACCOUNT_ID, SCENARIO.JDCLOUD_ACCOUNT_ID)
      : accountOf(read('AWS_STS_ROLE_ARN', AWS_STS_ROLE_ARN, SCENARIO.AWS_STS_ROLE_ARN))
  const most = source === 'jdcloud' ? 'JDCLOUD_MAX_SESSION_SECONDS' : 'AWS_STS_MAX_SESSION_SECONDS'
  return {
    target: ONLY_TARGET,
    account,
    maxSessionSeconds: read(most, settings[most], settings[most].default),
    bucket: read('OSS_BUCKET', OSS_BUCKET, SCENARIO.OSS_BUCKET),
    region: read('OSS_REGION', OSS_REGION, SCENARIO.OSS_REGION),
    minSessionSeconds: MIN_SESSION_SECONDS[source],
  }
}

/** The default directory: POLICIES_DIR, then `./policies`, then the shipped templates. Relative if that is shorter. */
export function templatesDirectory(env: Environment): string {
  const here = existsSync('policies') ? 'policies' : undefined
  const directory = env.POLICIES_DIR || here || SHIPPED_POLICIES
  const near = relative('.', directory)
  return near === '' || near.startsWith('..') ? directory : near
}

/** The issuers that the service trusts. */
export function configuredIssuers({ JWT_ISSUERS_FILE: file }: Environment): readonly IssuerOutline[] {
  if (!file) return [{ name: ONLY_ISSUER }]
  const outlines = issuerOutlines(file)
  if (outlines) return outlines
  throw new CommandError('JWT_ISSUERS_FILE must name a readable list of issuers that each have a name', 2)
}
