import { readFileSync } from 'node:fs'
import t from 'tap'
import { certificateOf } from '../helpers/certificate.ts'
import { faultLines, NO_SINGLE_ISSUER } from '../helpers/config-faults.ts'
import { fencedBlocks } from '../helpers/markdown.ts'
import { keys } from '../helpers/tokens.ts'

const files = fencedBlocks(readFileSync('docs/configuration.md', 'utf8'))
  .filter(({ language, text }) => language === 'yaml' && text.startsWith('- name: ') && !text.includes('bucket:'))
  .map(({ text }) => text)

t.test('every issuers file of the page starts', async (t) => {
  t.ok(files.length >= 4, `${files.length} files`)
  const dir = t.testdir({
    ...Object.fromEntries(
      files.map((file, index) => [`${index}.yaml`, file.replaceAll(/: \/(?:var\/)?run\/\S*\//gu, ': ')]),
    ),
    partner: keys.hmac,
    jwt: '2jQ8s0c1m5n4v7b3x9zKqWpLtRyUeIoAhGfDdSsJkZlXcCvBnM0=',
    token: 'a-token',
    'ca.crt': certificateOf(keys.rsa),
  })
  for (const [index, file] of files.entries()) {
    t.strictSame(faultLines({ ...NO_SINGLE_ISSUER, JWT_ISSUERS_FILE: `${dir}/${index}.yaml` }), [], file.slice(0, 40))
  }
})
