import { type Group, text } from '../setting.ts'

/** Callers that are refused although their tokens are good. */
export const denylist = {
  DENY_FILE: {
    help: 'YAML or JSON file of subjects, issuers and token ids that are refused: see docs/denylist.md. The service does not start without it once it is named. A changed file is read while the service runs; a bad one is refused, and the old entries stay.',
    schema: text,
    unset: 'nobody is denied by a file',
    rule: 'must be the path of a YAML or JSON file',
    remedy: 'see docs/denylist.md',
  },
} satisfies Group
