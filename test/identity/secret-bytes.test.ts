import fc from 'fast-check'
import t from 'tap'
import { SECRET_ENCODINGS, secretBytes } from '../../src/identity/secret-bytes.ts'

t.test('bytes are written and read in each encoding', async (t) => {
  fc.assert(
    fc.property(
      fc.uint8Array({ minLength: 1, maxLength: 80 }),
      fc.constantFrom(...SECRET_ENCODINGS),
      (bytes, encoding) => {
        const given = encoding === 'utf8' ? Buffer.from(Buffer.from(bytes).toString('hex')) : Buffer.from(bytes)
        return secretBytes(given.toString(encoding), encoding)?.equals(given) === true
      },
    ),
  )
  t.pass('for all that were tried')
})

t.test('a text that a decoder would cut short is no secret', async (t) => {
  const rows = [
    { encoding: 'base64', input: 'AAECAw==', want: '00010203' },
    { encoding: 'base64', input: 'AAECAw', want: '00010203' },
    { encoding: 'base64', input: 'AAEC\nAwQF', want: '000102030405' },
    { encoding: 'base64', input: 'AAECAx', want: undefined },
    { encoding: 'base64', input: 'AAEC!AwQF', want: undefined },
    { encoding: 'base64', input: '_-8A', want: undefined },
    { encoding: 'base64url', input: '_-8A', want: 'ffef00' },
    { encoding: 'base64url', input: '/+8A', want: undefined },
    { encoding: 'hex', input: '00ffAB', want: '00ffab' },
    { encoding: 'hex', input: '00ffA', want: undefined },
    { encoding: 'hex', input: '0x00ff', want: undefined },
    { encoding: 'utf8', input: ' é ', want: '20c3a920' },
    { encoding: 'utf8', input: '', want: undefined },
  ] as const
  for (const { encoding, input, want } of rows) {
    t.equal(secretBytes(input, encoding)?.toString('hex'), want, `${encoding} ${input}`)
  }
})
