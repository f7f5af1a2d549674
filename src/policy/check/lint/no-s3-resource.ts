import { s3Resource } from '../../language/s3.ts'
import type { Part } from '../../template/variables.ts'
import type { LintSettings, Rule } from './rule.ts'

/** With `CREDENTIAL_SOURCE=aws-sts`, each resource must have a translation that opens the same. */
export const noS3Resource: Rule = {
  id: 'no-s3-resource',
  severity: 'error',
  remedy: 'write jrn:oss:*:${account}:${bucket}/…, without ?',
  *check({ template, settings }) {
    if (settings.source !== 'aws-sts') return
    for (const [index, { resources }] of template.statements.entries()) {
      for (const [at, parts] of resources.entries()) {
        const text = parts.map((part) => standIn(part, settings)).join('')
        if (s3Resource(text, settings) !== undefined) continue
        const path = ['policy', 'Statement', index, 'Resource', at]
        yield { path, message: 'S3 would read this in another way: it has a ?, or names another region or account' }
      }
    }
  },
}

/** Values of callers have neither ? nor $, so a letter stands for them. */
function standIn(part: Part, settings: LintSettings): string {
  switch (part.kind) {
    case 'literal':
      return part.text
    case 'account':
    case 'bucket':
    case 'region':
      return settings[part.kind]
    default:
      return 'x'
  }
}
