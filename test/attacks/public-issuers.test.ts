import t from 'tap'
import { readConfig } from '../../src/config/config.ts'
import type { Environment } from '../../src/config/environment.ts'
import { inspectTemplates } from '../../src/policy/check/catalogue.ts'
import { checkedIssuers } from '../../src/policy/check/lint/rule.ts'
import { environment } from '../helpers/build.ts'
import { run } from '../helpers/cli.ts'
import { NO_SINGLE_ISSUER } from '../helpers/config-faults.ts'
import { inspect } from '../helpers/inspect.ts'
import { settings, statement, templateText } from '../helpers/templates.ts'
import { claims, mint } from '../helpers/tokens.ts'

const SECRET = 'a-secret-of-more-than-thirty-two-bytes-for-tests-only-0123456789'
const GITHUB = 'https://token.actions.githubusercontent.com'
const POLICY = { policy: { Version: '3', Statement: [statement('builds/${jwt:sub|hash}/*')] } }
const allowing = (claims?: object, more: object = {}) =>
  templateText({ ...POLICY, allow: { issuer: 'app', ...(claims && { claims }) }, ...more })
const OPEN = allowing()

/** An issuer as an entry of the file, or in variables. */
type Given = Readonly<{ provider?: string; issuer?: string | readonly string[]; secret?: string }> &
  Readonly<Partial<Record<'JWT_ISSUER' | 'JWT_AUDIENCE' | 'JWT_SECRET' | 'JWT_SUBJECT_CLAIM', string>>>
const variables = (issuer: string): Given => ({ JWT_ISSUER: issuer, JWT_AUDIENCE: 'x', JWT_SECRET: SECRET })

const rows: { name: string; given: Given; template: string; want: string[] }[] = [
  { name: 'GitHub', given: { provider: 'github-actions' }, template: OPEN, want: ['public-issuer'] },
  {
    name: 'GitHub without a preset',
    given: { issuer: GITHUB, secret: SECRET },
    template: OPEN,
    want: ['public-issuer'],
  },
  { name: 'GitHub in variables', given: variables(GITHUB), template: OPEN, want: ['public-issuer'] },
  {
    name: 'GitHub beside a domain of its own',
    given: { issuer: ['https://a.example', GITHUB], secret: SECRET },
    template: OPEN,
    want: ['public-issuer'],
  },
  {
    name: 'a branch, which every repository has',
    given: variables(GITHUB),
    template: allowing({ ref: 'refs/heads/main' }),
    want: ['public-issuer'],
  },
  {
    name: 'a workflow, which every repository may call',
    given: variables(GITHUB),
    template: allowing({ job_workflow_ref: 'o/r/.github/workflows/x.yml@refs/heads/main' }),
    want: ['public-issuer'],
  },
  {
    name: 'any repository at all',
    given: variables(GITHUB),
    template: allowing({ sub: { matches: 'repo:.+:ref:refs/heads/main' } }),
    want: ['public-issuer'],
  },
  { name: 'an own one', given: variables(GITHUB), template: allowing({ repository_owner_id: '65' }), want: [] },
  {
    name: 'a condition on sub, which is the branch here',
    given: { ...variables(GITHUB), JWT_SUBJECT_CLAIM: 'ref' },
    template: allowing({ sub: 'refs/heads/main' }),
    want: ['public-issuer'],
  },
  {
    name: 'a condition on sub, which is the owner here',
    given: { ...variables(GITHUB), JWT_SUBJECT_CLAIM: 'repository_owner_id' },
    template: allowing({ sub: '65' }),
    want: [],
  },
  { name: 'gitlab.com', given: { provider: 'gitlab' }, template: OPEN, want: ['public-issuer'] },
  {
    name: 'a GitLab of its own',
    given: { provider: 'gitlab', issuer: 'https://gitlab.example.com' },
    template: OPEN,
    want: [],
  },
  { name: 'Google', given: { provider: 'google' }, template: OPEN, want: ['public-issuer'] },
  {
    name: 'any domain at Google',
    given: { provider: 'google' },
    template: allowing({ hd: { present: true } }),
    want: ['public-issuer'],
  },
  {
    name: 'everybody at Google, with a reason',
    given: { provider: 'google' },
    template: allowing(undefined, { accept: { 'public-issuer': 'Everybody may sign in with Google.' } }),
    want: [],
  },
  { name: 'another provider', given: { provider: 'apple' }, template: OPEN, want: [] },
]

for (const { name, given, template, want } of rows) {
  t.test(name, async (t) => {
    const { provider, issuer, secret, ...variables } = given
    const entry = { name: 'app', audience: 'x', provider, issuer, secret }
    const dir = t.testdir({ 'issuers.json': JSON.stringify([entry]), policies: { 'mine.json': template } })
    const inFile = { ...NO_SINGLE_ISSUER, JWT_ISSUERS_FILE: `${dir}/issuers.json` }
    const env: Environment = Object.keys(variables).length > 0 ? variables : inFile
    const { issuers } = readConfig({ ...environment, ...env })
    const { findings } = await inspectTemplates(`${dir}/policies`, { ...settings, ...checkedIssuers(issuers) })
    t.strictSame(
      findings.flatMap(({ rule, severity }) => (severity === 'error' ? [rule] : [])),
      want,
      'at start',
    )
    const failed = want.length > 0
    t.equal((await run(['policies', 'lint', `${dir}/policies`], { env })).exitCode, failed ? 1 : 0, 'in policies lint')
    const token = mint(claims({ ref: 'refs/heads/main', repository_owner_id: '65' }))
    const { out } = await inspect(token, env, { dir: `${dir}/policies`, fetch: false })
    t.match(out, /Templates in/u)
    t.equal(/1 error: the service uses none of them/u.test(out), failed, 'in token inspect')
  })
}
