import { type Group, text } from '../setting.ts'

/** Several places that sessions are for. `readTargets` checks the file. */
export const targets = {
  TARGETS_FILE: {
    help: 'YAML or JSON file of several targets: buckets, roles and accounts. It replaces CREDENTIAL_SOURCE, JDCLOUD_*, AWS_STS_* and OSS_*, and each template then names its target. See "Several targets" in docs/configuration.md.',
    schema: text,
    unset: 'one target, by the variables of the other groups',
    rule: 'must be the path of the targets file',
    remedy: 'leave it out for one bucket',
  },
} satisfies Group
