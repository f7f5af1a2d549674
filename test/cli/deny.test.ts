import { randomBytes } from 'node:crypto'
import t from 'tap'
import { deniedCommand, denyCommand } from '../../src/cli/deny/commands.ts'
import { CommandError } from '../../src/cli/io.ts'
import { parseDenials } from '../../src/config/deny-file.ts'
import type { DenyRecord } from '../../src/denylist/record.ts'
import { systemClock } from '../../src/lib/clock.ts'
import { sharing } from '../denylist/shared.ts'
import { capturedIo } from '../helpers/captured-io.ts'
import { run } from '../helpers/cli.ts'
import { needsRedis, redisServer } from '../helpers/redis.ts'
import { claims, mint } from '../helpers/tokens.ts'

const KEY = randomBytes(32).toString('base64')
const token = mint(claims())

t.test('wrong usage is explained, and changes nothing', async (t) => {
  const dir = t.testdir({ issuers: '- { name: app }\n- { name: partner }\n' })
  const two = { JWT_ISSUERS_FILE: `${dir}/issuers` }
  const alice = ['deny', '--subject', 'alice']
  const rows: { name: string; args: string[]; env?: Record<string, string>; exit?: number; want: RegExp }[] = [
    { name: 'no issuer', args: alice, want: /^--issuer is required: app\n$/u },
    { name: 'no issuer out of two', args: alice, env: two, want: /: app, partner\n$/u },
    {
      name: 'an unknown issuer',
      args: [...alice, '--issuer', 'partnr'],
      env: two,
      want: /must be one of: app, partner\. Did you mean partner\?/u,
    },
    { name: 'nothing', args: ['deny'], want: /--issuer is required/u },
    { name: 'two names', args: [...alice, '--token-id', 'x', '--issuer', 'app'], want: /not both/u },
    { name: 'an empty name', args: ['deny', '--subject', '', '--issuer', 'app'], want: /--subject must not be empty/u },
    {
      name: 'a name too long',
      args: ['deny', '--token-id', 'x'.repeat(1025), '--issuer', 'app'],
      want: /--token-id must have at most 1024/u,
    },
    {
      name: 'a whole token',
      args: ['deny', '--token-id', token, '--issuer', 'app'],
      want: /^--token-id is a token: give the value of its claim "jti"/u,
    },
    {
      name: 'a reason too long',
      args: [...alice, '--issuer', 'app', '--reason', 'x'.repeat(201)],
      want: /--reason must have/u,
    },
    { name: 'no time', args: [...alice, '--issuer', 'app', '--for', 'tomorrow'], want: /30m, 24h or 7d/u },
    { name: 'a time without a unit', args: [...alice, '--issuer', 'app', '--for', '24'], want: /30m, 24h or 7d/u },
    { name: 'no time at all', args: [...alice, '--issuer', 'app', '--for', '0h'], want: /30m, 24h or 7d/u },
    { name: 'an argument', args: ['deny', 'alice'], want: /too many arguments/u },
    {
      name: 'no Redis',
      args: ['allow', '--issuer', 'app'],
      want: /^There is no REDIS_URL.*Remove the entry from the file that DENY_FILE names/u,
    },
    { name: 'no list at all', args: ['denied'], want: /DENY_FILE is not set either/u },
    {
      name: 'an address of Redis that is none',
      args: [...alice, '--issuer', 'app'],
      env: { REDIS_URL: 'x', CACHE_ENCRYPTION_KEY: KEY },
      exit: 78,
      want: /REDIS_URL: must be/u,
    },
    {
      name: 'Redis in plain text',
      args: [...alice, '--issuer', 'app'],
      env: { REDIS_URL: 'redis://redis.test', CACHE_ENCRYPTION_KEY: KEY },
      exit: 78,
      want: /REDIS_URL: must not leave/u,
    },
    {
      name: 'no key',
      args: [...alice, '--issuer', 'app'],
      env: { REDIS_URL: 'redis://127.0.0.1:1' },
      exit: 78,
      want: /CACHE_ENCRYPTION_KEY: is required/u,
    },
    {
      name: 'a bad file',
      args: ['denied'],
      env: { DENY_FILE: '/nowhere' },
      exit: 78,
      want: /DENY_FILE: must name a readable/u,
    },
  ]
  for (const { name, args, env = {}, exit = 2, want } of rows) {
    t.test(name, async (t) => {
      const { exitCode, out, err } = await run(args, { env })
      t.match(err, want)
      t.strictSame([exitCode, out], [exit, ''])
      t.notMatch(err, token)
    })
  }
})

t.test('without Redis, the entry is shown as the file has it', async (t) => {
  for (const [option, field] of [
    ['--subject', 'subject'],
    ['--token-id', 'token'],
  ] as const) {
    const name = 'a "b": \\ #\n- x'
    const { err } = await run(['deny', option, name, '--issuer', 'app', '--reason', 'r: 1'])
    const [, yaml = ''] = /names:\n\n(.*)$/su.exec(err) ?? []
    t.strictSame(parseDenials(yaml, ['app']), { denials: [{ by: field, issuer: 'app', name, reason: 'r: 1' }] })
  }
  const { err } = await run(['deny', '--issuer', 'app'])
  t.match(err, '\n\nissuers:\n  - issuer: app\n')
})

t.test('the commands against a Redis', needsRedis, async (t) => {
  const { env, deny, allow } = await sharing(t)
  const denied = () => run(['denied'], { env })
  t.match(await denied(), { exitCode: 0, out: '', err: '0 entries in DENY_FILE, 0 entries in Redis\n' })

  const first = await deny({ subject: 'auth0|5f7c', reason: 'ticket 4711', forMs: 3_600_000 })
  t.match(first, { exitCode: 0, out: /^✓ Denied: subject "auth0\|5f7c" of issuer app until 20\d\d-.*Z\.\n$/u })
  t.match(first.err, /given out before work until they expire: see docs\/denylist\.md/u)
  t.match((await deny({})).out, '✓ Denied: every caller of issuer app.\n')
  t.match((await deny({ tokenId: 'id-1' })).out, '✓ Denied: token id "id-1" of issuer app.\n')
  t.match(await denied(), {
    err: '0 entries in DENY_FILE, 3 entries in Redis\n',
    out: /^redis {2}subject "auth0\|5f7c" of issuer app until .*Z, since .*Z: "ticket 4711"\nredis {2}every caller of issuer app, since .*\nredis {2}token id "id-1" of/u,
  })

  const lifted = await allow({ subject: 'auth0|5f7c' })
  t.match(lifted, { exitCode: 0, out: '✓ Allowed again: subject "auth0|5f7c" of issuer app.\n' })
  t.equal(lifted.err, 'Still denied by Redis: every caller of issuer app.\n')
  t.match(await allow({ subject: 'auth0|5f7c' }), {
    exitCode: 1,
    out: '✗ Redis has no entry for subject "auth0|5f7c" of issuer app.\n',
  })
  t.match(await allow({}), { exitCode: 0, err: '' })

  const { out } = await run(['denied', '--json'], { env })
  t.match(JSON.parse(out), {
    entries: [{ source: 'redis', by: 'token', issuer: 'app', tokenId: 'id-1', since: /Z$/u }],
  })
})

t.test('the file is listed as well, and what it denies cannot be allowed here', needsRedis, async (t) => {
  const { env } = await sharing(t)
  const dir = t.testdir({
    deny: '{"subjects":[{"subject":"alice","issuer":"app"},{"subject":"bob","issuer":"app","until":"2020-01-01T00:00:00Z"}]}',
    bad: '[',
  })
  const withFile = { ...env, DENY_FILE: `${dir}/deny` }
  t.match(await run(['denied'], { env: withFile }), { exitCode: 0, out: 'file   subject "alice" of issuer app\n' })
  const refused = await run(['allow', '--subject', 'alice', '--issuer', 'app'], { env: withFile })
  t.match(refused, { exitCode: 1, err: 'Still denied by DENY_FILE: subject "alice" of issuer app.\n' })
  const bad = await run(['denied', '--json'], { env: { ...env, DENY_FILE: `${dir}/bad` } })
  t.equal(bad.exitCode, 78)
  t.match(JSON.parse(bad.out), { entries: [], error: /DENY_FILE/u })
  const { err } = await run(['denied'], { env: { ...env, DENY_FILE: `${dir}/bad` } })
  t.match(err, /^The configuration cannot be used:\n {2}DENY_FILE: .+\n0 entries in Redis\n$/u)
  t.match(await run(['denied'], { env: { DENY_FILE: `${dir}/deny` } }), { exitCode: 0, err: '1 entry in DENY_FILE\n' })
})

t.test('hostile text moves no cursor and forges no line', needsRedis, async (t) => {
  const { env, deny } = await sharing(t)
  const hostile = 'a\u001b[2J\nredis  every caller of issuer app\u202e\u009b'
  const printed = [
    await deny({ subject: hostile, reason: hostile }),
    await run(['denied'], { env }),
    await run(['denied', '--json'], { env }),
  ]
  for (const { out } of printed) {
    for (const part of ['\u001b', '\u009b', '\nredis  every']) t.notOk(out.includes(part))
  }
  const { entries } = JSON.parse(printed[2]?.out ?? '')
  t.equal(entries[0].subject, hostile, 'and programs have it as it is')
})

t.test('a list that is full takes no more, and lifts', needsRedis, async (t) => {
  const { env, admin, list, allow, place } = await sharing(t)
  const { io } = capturedIo(env, '')
  await denyCommand(io, { subject: 'first', issuer: 'app' }, { spreadMs: 0 })
  const { records, ...base } = await list().read()
  const more = Array.from({ length: 1999 }, (_, n): [string, DenyRecord] => [
    `${n}`,
    { by: 'subject', issuer: 'app', name: `${n}`, denied: true, at: 1 },
  ])
  t.ok(await list().write(new Map([...records, ...more]), base))
  await t.rejects(denyCommand(io, { subject: 'one-more', issuer: 'app' }, { spreadMs: 0 }), {
    message: /is full: nothing was changed/u,
    exitCode: 1,
  })
  t.match(await allow({ subject: 'first' }), { exitCode: 0 })
  t.equal(await denyCommand(io, { subject: 'one-more', issuer: 'app' }, { spreadMs: 0 }), 0)
  t.ok(await admin.exists(await place()))
})

t.test('a Redis that cannot be used is named, and its password is not', needsRedis, async (t) => {
  const server = await redisServer(t, '--requirepass', 'the-right-password')
  const { now, after } = systemClock()
  const impatient = { now, after: (_ms: number, done: () => void) => after(300, done) }
  const rows = [
    {
      name: 'nobody is there',
      url: 'redis://127.0.0.1:1',
      want: /cannot be reached \(ECONNREFUSED\): nothing was changed/u,
    },
    {
      name: 'another password',
      url: server.url.replace('//', '//:the-wrong-password@'),
      want: /Redis cannot be reached \(WRONGPASS\): nothing was changed/u,
    },
  ]
  for (const { name, url, want } of rows) {
    t.test(name, async (t) => {
      const { io } = capturedIo({ REDIS_URL: url, CACHE_ENCRYPTION_KEY: KEY }, '')
      const error = await deniedCommand(io, false, { clock: impatient }).catch((error: unknown) => error)
      t.ok(error instanceof CommandError)
      t.match(String(error), want)
      t.notMatch(String(error), 'password')
    })
  }
})
