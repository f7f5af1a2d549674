import { z } from 'zod'
import { randomKeys } from '../random-key.ts'
import type { Group } from '../setting.ts'

const SUBJECTS = ['plain', 'hmac'] as const

/** Who was given access to what, and when. */
export const audit = {
  AUDIT_LOG: {
    help: 'Where audit events go, one JSON line for each decision: stdout, among the lines of the log; the absolute path of a file, which SIGHUP opens anew; or none. See docs/audit.md.',
    schema: z.union([z.enum(['stdout', 'none']), z.string().regex(/^\/.*[^/]$/u)]),
    default: 'stdout',
    rule: 'must be stdout, none or the absolute path of a file',
    remedy: 'leave it out for stdout',
  },
  AUDIT_CHAIN_KEY: {
    help: 'Key that chains audit events, so that oss-vend audit verify finds lines that were changed, removed or moved: openssl rand -base64 32. Of several, separated by commas, the first one writes and all of them verify. A new key needs a restart.',
    secret: true,
    schema: randomKeys,
    unset: 'events are not chained',
    rule: 'must be 32 random bytes in base64, or several such keys separated by commas',
    remedy: 'generate one: openssl rand -base64 32',
  },
  AUDIT_SUBJECT: {
    help: 'Whether audit events have subjects as they are, or keyed hashes of them and of all that could tell them.',
    range: `One of ${SUBJECTS.join(', ')}`,
    schema: z.enum(SUBJECTS),
    default: 'plain',
    rule: `must be ${SUBJECTS.join(' or ')}`,
    remedy: 'leave it out for plain',
  },
  AUDIT_SUBJECT_KEY: {
    help: 'Key of these hashes, the same for all replicas: openssl rand -base64 32. Of several, separated by commas, the first one writes and oss-vend audit who tries all. A new key needs a restart.',
    secret: true,
    schema: randomKeys,
    unset: 'none; AUDIT_SUBJECT=hmac needs one',
    rule: 'must be 32 random bytes in base64, or several such keys separated by commas',
    remedy: 'generate one: openssl rand -base64 32',
  },
} satisfies Group
