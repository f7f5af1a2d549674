import fc from 'fast-check'
import t from 'tap'
import { VendError } from '../../../src/errors.ts'
import { fillIn } from '../../../src/policy/grant/grant.ts'
import { caller, settings, template } from '../../helpers/templates.ts'

/** Text that could mean something in a JRN, in a template or in JSON, beside text that is plain. */
const odd = fc.constantFrom(...'*/:$?{}[]"\\,\n\0 ', '${', '${jwt:sub}', '","', '"]}', '\\u002a', '\u202e', '\ud800')
const plain = fc.constantFrom('a', 'alice', 'b-c', '7', '李雷', 'é', '𠮷', '@', '=', ',', '|')
const anyText = fc.oneof(
  { weight: 4, arbitrary: fc.array(plain, { minLength: 1, maxLength: 3 }).map((texts) => texts.join('')) },
  { weight: 1, arbitrary: fc.array(fc.oneof(odd, plain), { maxLength: 4 }).map((texts) => texts.join('')) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 6 }) },
)
const anyValue = fc.oneof(
  { weight: 8, arbitrary: anyText },
  { weight: 1, arbitrary: fc.oneof(fc.integer(), fc.double(), fc.boolean(), fc.constant(null), fc.array(anyText)) },
)

const VARIABLES = ['account', 'bucket', 'region', 'issuer', 'jwt:sub', 'jwt:org.team', 'param:album', 'param:dir']
const piece = fc.oneof(
  { weight: 2, arbitrary: fc.constantFrom(...VARIABLES).map((name) => `\${${name}}`) },
  fc.constantFrom('/', '*', ':', 'users', '"', '\\', 'é', 'jrn:oss:*:1:b/', '$', '{', '}'),
)
/** No piece may complete a variable with its neighbour: such a template is another one, or does not load. */
const resource = fc
  .array(piece, { minLength: 1, maxLength: 8 })
  .filter((pieces) => !pieces.join('|').includes('$|{') && pieces.at(-1) !== '$')
const statement = fc.record(
  {
    Sid: fc.string({ unit: 'binary', maxLength: 4 }).filter((text) => !text.includes('$')),
    Effect: fc.constantFrom('Allow', 'Deny'),
    Action: fc.array(fc.constantFrom('oss:PutObject', 'oss:GetObject', 'o"\\'), { minLength: 1, maxLength: 3 }),
    Resource: fc.array(resource, { minLength: 1, maxLength: 3 }),
  },
  { requiredKeys: ['Effect', 'Action', 'Resource'] },
)

const scenario = fc.record({
  statements: fc.array(statement, { minLength: 1, maxLength: 3 }),
  sub: anyText,
  team: anyValue,
  album: fc.oneof(anyText, fc.integer()),
  dir: fc.array(anyText, { minLength: 1, maxLength: 3 }).map((steps) => steps.join('/')),
})

t.test('a filled-in policy differs from its template in Resource strings alone, for any values', async (t) => {
  const outcomes = { filled: 0, refused: 0 }
  fc.assert(
    fc.property(scenario, ({ statements, sub, team, album, dir }) => {
      const written = statements.map((one) => ({ ...one, Resource: one.Resource.map((pieces) => pieces.join('')) }))
      const made = template({
        params: { album: {}, dir: { kind: 'path' } },
        policy: { Version: '3', Statement: written },
      })
      const request = { caller: caller({ sub, org: { team } }), params: { album, dir } }
      try {
        const { policy } = fillIn(made, request, settings)
        outcomes.filled++
        const values: Record<string, unknown> = {
          ...{ account: settings.account, bucket: settings.bucket, region: settings.region, issuer: 'app' },
          ...{ 'jwt:sub': sub, 'jwt:org.team': team, 'param:album': album, 'param:dir': dir },
        }
        const naive = (piece: string) => (piece.startsWith('${') ? String(values[piece.slice(2, -1)]) : piece)
        const want = statements.map((one) => ({
          ...one,
          Resource: one.Resource.map((pieces) => pieces.map(naive).join('')),
        }))
        return JSON.stringify(JSON.parse(policy)) === JSON.stringify({ Version: '3', Statement: want })
      } catch (error) {
        if (!(error instanceof VendError)) throw error
        outcomes.refused++
        return ['unsafe_value', 'policy_not_allowed'].includes(error.code)
      }
    }),
    { numRuns: 1500 },
  )
  t.ok(outcomes.filled > 200 && outcomes.refused > 200, JSON.stringify(outcomes))
})
