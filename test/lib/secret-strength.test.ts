import { randomBytes, randomInt, randomUUID } from 'node:crypto'
import t from 'tap'
import { shapeFault } from '../../src/lib/secret-shape.ts'
import { isStrongSecret } from '../../src/lib/secret-strength.ts'

const RUNS = 300

const from = (characters: string, length: number) =>
  Array.from({ length }, () => characters.charAt(randomInt(characters.length))).join('')

const PRINTABLE = Array.from({ length: 94 }, (_, index) => String.fromCharCode(0x21 + index)).join('')
const ALPHANUMERIC = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789'
/** Some of the EFF's long list, from all over it. */
const WORDS = (
  'abacus agnostic armhole blinker chute cornstalk crimp deceiving dollop eclipse etching finalist frozen geiger ' +
  'handmade hubcap ivory jaundice kilometer landlady lilac mothball nuttiness oxidize parsnip plexiglas quilt ' +
  'relapse rhubarb salvaging shrubbery snuggle thirteen trombone unwell uplifting viable walrus wobbly yogurt zoology'
).split(' ')
const diceware = (words: number, separator: string) =>
  Array.from({ length: words }, () => WORDS[randomInt(WORDS.length)]).join(separator)

// Tens of thousands of hashes, on machines that do other things as well.
t.setTimeout(120_000)

t.test('the shortest that is allowed, 128 bits in hex, is refused once in some 2,000 times', async (t) => {
  const secrets = Array.from({ length: RUNS }, () => randomBytes(16).toString('hex'))
  t.ok(secrets.filter((secret) => !isStrongSecret(secret)).length < RUNS / 50)
})

t.test('what a generator made is never refused', async (t) => {
  const rows: Record<string, () => string> = {
    'openssl rand -base64 32': () => randomBytes(32).toString('base64'),
    'openssl rand -base64 48': () => randomBytes(48).toString('base64'),
    'openssl rand -base64 64, in two lines': () =>
      randomBytes(64)
        .toString('base64')
        .replace(/^.{64}/u, '$&\n'),
    'openssl rand -base64 24': () => randomBytes(24).toString('base64'),
    'openssl rand -hex 32': () => randomBytes(32).toString('hex'),
    'openssl rand -hex 64': () => randomBytes(64).toString('hex'),
    'hex in capitals': () => randomBytes(32).toString('hex').toUpperCase(),
    base64url: () => randomBytes(32).toString('base64url'),
    'two UUIDs': () => `${randomUUID()}${randomUUID()}`,
    'two UUIDs with a dash': () => `${randomUUID()}-${randomUUID()}`,
    '32 printable characters': () => from(PRINTABLE, 32),
    '40 letters and digits': () => from(ALPHANUMERIC, 40),
    base32: () => from('ABCDEFGHIJKLMNOPQRSTUVWXYZ234567', 52),
    '64 small letters': () => from('abcdefghijklmnopqrstuvwxyz', 64),
    'ten words of diceware': () => diceware(10, ' '),
    'ten words with dashes': () => diceware(10, '-'),
    'php artisan key:generate': () => `base64:${randomBytes(32).toString('base64')}`,
    'base64, percent-encoded': () => encodeURIComponent(randomBytes(33).toString('base64')),
    'base64 of base64': () => Buffer.from(randomBytes(32).toString('base64')).toString('base64'),
    'base64 of hex': () => Buffer.from(randomBytes(32).toString('hex')).toString('base64'),
    'longer than a piece that is judged': () => randomBytes(300).toString('base64'),
  }
  for (const [name, make] of Object.entries(rows)) {
    t.test(name, async (t) => {
      let refused = 0
      for (let run = 0; run < RUNS; run++) {
        const secret = make()
        if (shapeFault(secret) || !isStrongSecret(secret)) refused++
      }
      t.equal(refused, 0)
    })
  }
})

t.test('a strong part makes a long secret strong, wherever it is', async (t) => {
  const strong = randomBytes(48).toString('base64')
  for (const padding of ['a'.repeat(400), 'changeme-'.repeat(40)]) {
    t.ok(isStrongSecret(padding + strong))
    t.ok(isStrongSecret(strong + padding))
    t.notOk(isStrongSecret(padding))
  }
})
