import t from 'tap'
import { fillIn } from '../../../src/policy/grant/grant.ts'
import { caller, refusal, settings, statement, template } from '../../helpers/templates.ts'

const alice = caller({ sub: 'alice' })
const policyOf = (...paths: string[]) => ({ policy: { Version: '3', Statement: paths.map(statement) } })
const resource = (path: string) => `jrn:oss:*:111111111111:test-app/${path}`

t.test('a grant has everything that STS is asked for', async (t) => {
  const made = template({
    params: { album: {} },
    policy: {
      Version: 3,
      Statement: [
        {
          Sid: 'up',
          ...statement('users/${jwt:sub}/${param:album}/*'),
          Action: ['oss:PutObject', 'oss:AbortMultipartUpload'],
        },
        { ...statement('users/${jwt:sub}/${param:album}/*'), Action: 'oss:PutObject' },
        { ...statement('${region}/${issuer}.txt'), Action: 'oss:GetObject' },
      ],
    },
  })
  const request = { caller: alice, params: { album: 'trip' } }
  const before = structuredClone(request)
  const grant = fillIn(made, request, settings)
  const { policy, ...rest } = grant
  t.strictSame(rest, {
    template: 'mine',
    target: 'default',
    roleSessionName: 'mine@alice',
    durationSeconds: 3600,
    actions: ['oss:PutObject', 'oss:AbortMultipartUpload', 'oss:GetObject'],
    resources: [resource('users/alice/trip/*'), resource('cn-north-1/app.txt')],
    prefixes: ['users/alice/trip/', 'cn-north-1/app.txt'],
  })
  const upload = { Effect: 'Allow', Action: ['oss:PutObject'], Resource: [resource('users/alice/trip/*')] }
  t.equal(
    policy,
    JSON.stringify({
      Version: '3',
      Statement: [
        { Sid: 'up', ...upload, Action: ['oss:PutObject', 'oss:AbortMultipartUpload'] },
        upload,
        { Effect: 'Allow', Action: ['oss:GetObject'], Resource: [resource('cn-north-1/app.txt')] },
      ],
    }),
  )
  t.strictSame(fillIn(made, request, settings), grant, 'the same request gives the same grant')
  t.strictSame(request, before, 'the request is not changed')
  const several = fillIn(made, request, { ...settings, severalIssuers: true })
  t.equal(several.roleSessionName, 'mine@app.alice')
})

t.test('durations', async (t) => {
  const invalid = (detail: string) => ({ code: 'invalid_request', errors: [{ pointer: '/durationSeconds', detail }] })
  const short = invalid('must be whole seconds, 3600 or more')
  const rows: { name: string; asked?: number; most?: number; want: number | object }[] = [
    { name: "left out: the template's", want: 7200 },
    { name: 'the least', asked: 3600, want: 3600 },
    { name: "the template's", asked: 7200, want: 7200 },
    { name: 'too long', asked: 7201, want: invalid('must be at most 7200 for this policy') },
    { name: 'left out: the role has less', most: 5000, want: 5000 },
    { name: "the role's", asked: 5000, most: 5000, want: 5000 },
    { name: 'more than the role has', asked: 5001, most: 5000, want: invalid('must be at most 5000 for this policy') },
    { name: 'the role has more', asked: 7201, most: 43_200, want: invalid('must be at most 7200 for this policy') },
    { name: 'endless', asked: Number.POSITIVE_INFINITY, want: invalid('must be at most 7200 for this policy') },
    { name: 'too short', asked: 3599, want: short },
    { name: 'zero', asked: 0, want: short },
    { name: 'negative', asked: -3600, want: short },
    { name: 'a fraction', asked: 3600.5, want: short },
    { name: 'no number', asked: Number.NaN, want: short },
  ]
  const made = template({ durationSeconds: 7200 })
  for (const { name, asked, most = 43_200, want } of rows) {
    t.test(name, async (t) => {
      const fill = () =>
        fillIn(made, { caller: alice, durationSeconds: asked }, { ...settings, maxSessionSeconds: most })
      if (typeof want === 'number') t.equal(fill().durationSeconds, want)
      else t.strictSame(refusal(fill), want)
    })
  }
})

t.test('params', async (t) => {
  const fault = (param: string, detail: string) => ({ pointer: `/params/${param}`, detail })
  const invalid = (...errors: object[]) => ({ code: 'invalid_request', errors })
  const unsafe = (param: string) => ({
    code: 'unsafe_value',
    detail: `parameter "${param}" must be 1 to 128 letters, digits and -_.~@+=,|, and not . or ..`,
  })
  const unknown = 'is not a parameter of this policy'
  const album = { params: { album: { pattern: 'trip|fair' } }, ...policyOf('users/${jwt:sub}/${param:album}/*') }
  const free = { params: { album: {} }, ...policyOf('users/${jwt:sub}/${param:album}/*') }
  const path = { params: { dir: { kind: 'path' } }, ...policyOf('users/${jwt:sub}/${param:dir}/*') }
  const mismatch = invalid(fault('album', 'does not match ^(?:trip|fair)$'))
  const rows: {
    name: string
    parts: Record<string, unknown>
    params?: Record<string, string | number>
    want: string | object
  }[] = [
    { name: 'fits', parts: album, params: { album: 'fair' }, want: 'users/alice/fair/*' },
    { name: 'an integer', parts: free, params: { album: 7 }, want: 'users/alice/7/*' },
    { name: 'a path', parts: path, params: { dir: 'a/b' }, want: 'users/alice/a/b/*' },
    { name: 'a missing one', parts: album, want: invalid(fault('album', 'is required')) },
    { name: 'unknown', parts: {}, params: { x: '1' }, want: invalid(fault('x', unknown)) },
    { name: 'unknown, with a slash', parts: {}, params: { 'a/b~c': '1' }, want: invalid(fault('a~1b~0c', unknown)) },
    {
      name: 'unknown and missing',
      parts: album,
      params: { x: '1' },
      want: invalid(fault('x', unknown), fault('album', 'is required')),
    },
    { name: 'constructor', parts: {}, params: { constructor: 'x' }, want: invalid(fault('constructor', unknown)) },
    {
      name: '__proto__',
      parts: {},
      params: JSON.parse('{"__proto__":"x"}'),
      want: invalid(fault('__proto__', unknown)),
    },
    {
      name: 'inherited',
      parts: free,
      params: Object.create({ album: 'x' }),
      want: invalid(fault('album', 'is required')),
    },
    { name: 'the first alternative and more', parts: album, params: { album: 'tripx' }, want: mismatch },
    { name: 'more and the last alternative', parts: album, params: { album: 'xfair' }, want: mismatch },
    { name: 'a line break behind', parts: album, params: { album: 'trip\n' }, want: unsafe('album') },
    { name: 'lines', parts: album, params: { album: 'x\ntrip\nx' }, want: unsafe('album') },
    { name: 'empty', parts: free, params: { album: '' }, want: unsafe('album') },
    { name: 'a wildcard', parts: free, params: { album: '*' }, want: unsafe('album') },
    { name: 'a path where a segment is wanted', parts: free, params: { album: 'a/b' }, want: unsafe('album') },
    { name: 'upwards', parts: path, params: { dir: 'a/../../bob' }, want: unsafe('dir') },
    { name: 'a fraction', parts: free, params: { album: 1.5 }, want: unsafe('album') },
    {
      name: 'a pattern that lets a wildcard through',
      parts: { ...free, params: { album: { pattern: '.*' } } },
      params: { album: 'a*' },
      want: unsafe('album'),
    },
    {
      name: 'a variable as a value',
      parts: { params: { album: {}, b: {} }, ...policyOf('${param:album}/*') },
      params: { album: '${param:b}', b: 'x' },
      want: unsafe('album'),
    },
  ]
  for (const { name, parts, params, want } of rows) {
    t.test(name, async (t) => {
      const fill = () => fillIn(template(parts), { caller: alice, params }, settings)
      if (typeof want === 'string') t.strictSame(fill().resources, [resource(want)])
      else t.strictSame(refusal(fill), want)
    })
  }
})

t.test('claims', async (t) => {
  const made = template(policyOf('${jwt:org.team}/${jwt:sub}/*'))
  const denied = (detail: string) => ({ code: 'policy_not_allowed', detail })
  const unsafe = (claim: string) => ({
    code: 'unsafe_value',
    detail: `claim "${claim}" must be 1 to 128 letters, digits and -_.~@+=,|, and not . or ..`,
  })
  const untext = (claim: string) => ({
    code: 'unsafe_value',
    detail: `claim "${claim}" must be a text or a whole number`,
  })
  const rows: { name: string; claims: Record<string, unknown>; issuer?: string; want: string | object }[] = [
    { name: 'nested', claims: { org: { team: 'blue' } }, want: 'blue/alice/*' },
    { name: 'an integer', claims: { org: { team: 7 } }, want: '7/alice/*' },
    { name: 'missing', claims: {}, want: denied('claim "org.team" is missing') },
    { name: 'half missing', claims: { org: {} }, want: denied('claim "org.team" is missing') },
    { name: 'flat', claims: { 'org.team': 'blue' }, want: denied('claim "org.team" is missing') },
    {
      name: 'inherited',
      claims: { org: Object.create({ team: 'blue' }) },
      want: denied('claim "org.team" is missing'),
    },
    { name: 'null', claims: { org: { team: null } }, want: untext('org.team') },
    { name: 'a list', claims: { org: { team: ['blue'] } }, want: untext('org.team') },
    { name: 'true', claims: { org: { team: true } }, want: untext('org.team') },
    { name: 'empty', claims: { org: { team: '' } }, want: unsafe('org.team') },
    { name: 'a wildcard', claims: { org: { team: '*' } }, want: unsafe('org.team') },
    {
      name: 'another issuer',
      claims: { org: { team: 'blue' } },
      issuer: 'web',
      want: denied("the token's issuer is not accepted"),
    },
    {
      name: 'another issuer, and unsafe',
      claims: {},
      issuer: 'web',
      want: denied("the token's issuer is not accepted"),
    },
  ]
  for (const { name, claims, issuer, want } of rows) {
    t.test(name, async (t) => {
      const fill = () => fillIn(made, { caller: caller({ sub: 'alice', ...claims }, issuer) }, settings)
      if (typeof want === 'string') t.strictSame(fill().resources, [resource(want)])
      else t.strictSame(refusal(fill), want)
    })
  }
  t.test('a refused caller learns nothing about params', async (t) => {
    const fill = () =>
      fillIn(made, { caller: caller({ sub: 'a' }, 'web'), params: { x: '1' }, durationSeconds: 1 }, settings)
    t.strictSame(refusal(fill), denied("the token's issuer is not accepted"))
  })
})
