import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import t, { type Test } from 'tap'
import { credentialsCommand } from '../../src/cli/credentials-command.ts'
import { CommandError } from '../../src/cli/io.ts'
import { build, type Overrides, SENTINELS } from '../helpers/build.ts'
import { run } from '../helpers/cli.ts'
import { listen } from '../helpers/listen.ts'
import { claims, mint } from '../helpers/tokens.ts'

const token = mint(claims())

/** The service on a port, and the command asking it with a cache of its own. */
async function start(t: Test, overrides: Overrides = {}) {
  const { app, logs } = await build(t, overrides)
  const url = await app.listen({ host: '127.0.0.1', port: 0 })
  const cache = t.testdir({})
  const ask = (args: readonly string[] = [], env: Record<string, string> = {}) =>
    run(['credentials', '--url', url, '--policy', 'user-upload', '--token-env', 'T', ...args], {
      env: { XDG_CACHE_HOME: cache, T: token, PATH: process.env.PATH, ...env },
    })
  const asked = () => logs.lines().filter(({ msg }) => msg === 'vended').length
  const directory = join(cache, 'oss-vend')
  const files = () => (existsSync(directory) ? readdirSync(directory).map((file) => join(directory, file)) : [])
  return { url, cache, directory, ask, asked, files }
}

t.test('it prints what credential_process must, and again without asking', async (t) => {
  const { ask, asked, files, directory } = await start(t)
  const { exitCode, out, err } = await ask()
  t.strictSame([exitCode, err], [0, ''])
  t.strictSame(Object.keys(JSON.parse(out)), [
    'Version',
    'AccessKeyId',
    'SecretAccessKey',
    'SessionToken',
    'Expiration',
  ])
  t.match(JSON.parse(out), {
    Version: 1,
    AccessKeyId: SENTINELS.accessKey,
    SecretAccessKey: SENTINELS.secretKey,
    SessionToken: SENTINELS.sessionToken,
    Expiration: /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/u,
  })
  t.equal((await ask()).out, out)
  t.equal(asked(), 1)
  t.equal(files().length, 1)
  t.equal(statSync(directory).mode & 0o777, 0o700)
  t.equal(statSync(files()[0] ?? '').mode & 0o777, 0o600)
  t.notMatch(readFileSync(files()[0] ?? '', 'utf8'), token, 'the token is not kept')
})

t.test('the token is read from a file, a variable or a command', async (t) => {
  const { url, cache, files } = await start(t)
  const file = join(cache, 'token')
  writeFileSync(file, `${token}\n`)
  const rows = [
    { args: ['--token-file', file], env: {} },
    { args: ['--token-env', 'MY_TOKEN'], env: { MY_TOKEN: ` ${token}` } },
    { args: ['--token-command', 'echo "$MY_TOKEN"; echo nothing to see >&2'], env: { MY_TOKEN: token } },
  ]
  for (const { args, env } of rows) {
    const answer = await run(['credentials', '--url', url, '--policy', 'user-upload', ...args], {
      env: { XDG_CACHE_HOME: cache, PATH: process.env.PATH, ...env },
    })
    t.match([answer.exitCode, answer.err], [0, ''], args.join(' '))
  }
  t.equal(files().length, 1, 'and one file is of all three')
})

t.test('credentials are kept by what was asked for and by whom', async (t) => {
  const { ask, asked, url } = await start(t)
  const rows = [
    { name: 'first', args: [], want: 1 },
    { name: 'a renewed token', args: [], env: { T: mint(claims({ exp: 9_000_000_000, jti: 'next' })) }, want: 1 },
    { name: 'another subject', args: [], env: { T: mint(claims({ sub: 'bob' })) }, want: 2 },
    { name: 'another policy', args: ['--policy', 'album-upload', '--param', 'album=a'], want: 3 },
    { name: 'another parameter', args: ['--policy', 'album-upload', '--param', 'album=b'], want: 4 },
    { name: 'another address', args: ['--url', url.replace('127.0.0.1', 'localhost')], want: 5 },
    { name: 'each once more', args: ['--policy', 'album-upload', '--param', 'album=a'], want: 5 },
  ]
  for (const { name, args, env = {}, want } of rows) {
    await ask(args, env)
    t.equal(asked(), want, name)
  }
  t.test('another issuer is another caller', async (t) => {
    const { exitCode } = await ask([], { T: mint(claims({ iss: 'https://other.example.test' })) })
    t.equal(exitCode, 1, 'who is asked for, and refused')
  })
})

t.test('a session is renewed 15 minutes before its end', async (t) => {
  const { url, cache, asked } = await start(t)
  let out = ''
  const io = {
    env: { XDG_CACHE_HOME: cache, T: token },
    out: (text: string) => {
      out += text
    },
    err: () => {},
    terminal: { out: false, err: false },
  }
  const ask = async (now: number) => {
    out = ''
    await credentialsCommand(io, { url, policy: 'user-upload', tokenEnv: 'T' }, { now: () => now })
    return Date.parse(JSON.parse(out).Expiration)
  }
  const end = await ask(Date.now())
  await ask(end - 15 * 60_000)
  t.equal(asked(), 1)
  await ask(end - 15 * 60_000 + 1)
  t.equal(asked(), 2)
})

t.test(
  'a file that is not ours, or that we did not write, is not believed',
  { skip: process.getuid === undefined },
  async (t) => {
    const planted = JSON.stringify({
      accessKey: 'planted',
      secretKey: 'planted',
      sessionToken: 'planted',
      expiration: '2999-01-01T00:00:00Z',
    })
    const rows: { name: string; plant: (file: string) => void }[] = [
      { name: 'half a file', plant: (file) => writeFileSync(file, planted.slice(0, 50), { mode: 0o600 }) },
      { name: 'an empty file', plant: (file) => writeFileSync(file, '') },
      { name: 'another shape', plant: (file) => writeFileSync(file, planted.replace('secretKey', 'secret')) },
      { name: 'more than we write', plant: (file) => writeFileSync(file, planted.padEnd(70_000)) },
      {
        name: 'a file that others may change',
        plant: (file) => {
          writeFileSync(file, planted)
          chmodSync(file, 0o602)
        },
      },
      {
        name: 'a file that others may read',
        plant: (file) => {
          writeFileSync(file, planted)
          chmodSync(file, 0o640)
        },
      },
      ...(process.getuid?.() === 0
        ? [
            {
              name: "another user's file",
              plant: (file: string) => {
                writeFileSync(file, planted)
                chownSync(file, 12_345, 12_345)
              },
            },
          ]
        : []),
      {
        name: 'a link',
        plant: (file) => {
          writeFileSync(`${file}.target`, planted, { mode: 0o600 })
          symlinkSync(`${file}.target`, `${file}.link`)
          renameSync(`${file}.link`, file)
        },
      },
    ]
    for (const { name, plant } of rows) {
      t.test(name, async (t) => {
        const { ask, files } = await start(t)
        await ask()
        plant(files()[0] ?? '')
        const { exitCode, out } = await ask()
        t.equal(exitCode, 0)
        t.equal(JSON.parse(out).AccessKeyId, SENTINELS.accessKey)
        t.match(
          JSON.parse(readFileSync(files()[0] ?? '', 'utf8')),
          { accessKey: SENTINELS.accessKey },
          'and it is mended',
        )
      })
    }
    t.test('the very file would be believed', async (t) => {
      const { ask, files } = await start(t)
      await ask()
      writeFileSync(files()[0] ?? '', planted)
      t.equal(JSON.parse((await ask()).out).AccessKeyId, 'planted')
    })
  },
)

t.test('a folder that others may look into is closed, and without one it works all the same', async (t) => {
  const { ask, directory, cache, url, files } = await start(t)
  mkdirSync(directory)
  chmodSync(directory, 0o777)
  await ask()
  t.equal(statSync(directory).mode & 0o777, 0o700)
  t.equal(files().length, 1)
  const blocked = join(cache, 'blocked')
  writeFileSync(blocked, '')
  const { exitCode, out, err } = await ask([], { XDG_CACHE_HOME: blocked })
  t.match([exitCode, JSON.parse(out).AccessKeyId], [0, SENTINELS.accessKey])
  t.match(err, /not kept for the next time: .*blocked\/oss-vend: (?:ENOTDIR|EEXIST)/u)
  t.test('each system has its own place', async (t) => {
    const io = {
      env: { T: token, LOCALAPPDATA: join(cache, 'local') },
      out: () => {},
      err: () => {},
      terminal: { out: false, err: false },
    }
    for (const [platform, folder] of [
      ['linux', '.cache/oss-vend'],
      ['darwin', 'Library/Caches/oss-vend'],
      ['win32', 'local/oss-vend'],
    ] as const) {
      await credentialsCommand(io, { url, policy: 'user-upload', tokenEnv: 'T' }, { platform, home: cache })
      t.equal(readdirSync(join(cache, folder)).length, 1, platform)
    }
    const relative = { ...io, env: { T: token, XDG_CACHE_HOME: 'relative' } }
    await credentialsCommand(
      relative,
      { url, policy: 'user-upload', tokenEnv: 'T' },
      { platform: 'linux', home: cache },
    )
    t.notOk(existsSync('relative'), 'a relative XDG_CACHE_HOME is ignored')
  })
})

t.test('wrong usage ends with 2', async (t) => {
  const { ask, url, asked } = await start(t)
  const rows = [
    { args: ['--url', 'http://vend.example.test'], want: /--url must be https/u },
    { args: ['--url', 'http://localhost.example.test'], want: /--url must be https/u },
    { args: ['--url', 'https://user:secret@vend.example.test'], want: /--url must be an address/u },
    { args: ['--url', 'https://vend.example.test?a=b'], want: /--url must be an address/u },
    { args: ['--url', 'ftp://vend.example.test'], want: /--url must be an address/u },
    { args: ['--url', 'vend.example.test'], want: /--url must be an address/u },
    { args: ['--token-file', 'x'], want: /Give one of/u },
    { args: ['--param', 'a'], want: /must be name=value/u },
    { args: ['--param', 'a=1', '--param', 'a=2'], want: /a is given twice/u },
  ]
  for (const { args, want } of rows) {
    const { exitCode, out, err } = await ask(args)
    t.match([exitCode, out], [2, ''], args.join(' '))
    t.match(err, want)
  }
  const none = await run(['credentials', '--url', url, '--policy', 'user-upload'])
  t.match([none.exitCode, none.err], [2, /Give one of/u])
  t.match((await run(['credentials', '--policy', 'user-upload'])).err, /required option '--url/u)
  t.equal(asked(), 0)
})

t.test('a failure ends with 1 and one clear line, which has no secret', async (t) => {
  const { ask, url } = await start(t)
  const echo = await listen(t, (request, response) => {
    const told = request.headers.authorization ?? ''
    const problem = { code: 'invalid_request', title: told, detail: `\u001b[31m${told}`, requestId: 'r' }
    response.writeHead(400, { 'content-type': 'application/problem+json' }).end(JSON.stringify(problem))
  })
  const other = await listen(t, (request, response) => void response.end(`<html>${request.headers.authorization}`))
  const redirect = await listen(t, (_request, response) => void response.writeHead(307, { location: url }).end())
  const rows = [
    {
      name: 'not for this caller',
      args: ['--policy', 'user-files'],
      want: /^403 policy_not_allowed: .*claim "scope".*\(request [\w-]+\)$/u,
    },
    { name: 'a bad token', env: { T: `${token.slice(0, -8)}AAAAAAAA` }, want: /^401 unauthenticated: / },
    { name: 'no such parameter', args: ['--param', 'a=b'], want: /^400 invalid_request: .*\/params\/a/u },
    { name: 'no JWT', env: { T: 'secret-nonsense' }, want: /^The token is not a JWT/u },
    { name: 'an empty token', env: { T: ' ' }, want: /^The token is empty$/u },
    { name: 'two tokens', env: { T: `${token} ${token}` }, want: /^The token must be one word/u },
    {
      name: 'nobody listens',
      args: ['--url', 'http://127.0.0.1:1'],
      want: /cannot be reached \(ECONNREFUSED\): http:\/\/127\.0\.0\.1:1$/u,
    },
    {
      name: 'a server that echoes',
      args: ['--url', echo],
      want: /^400 invalid_request: Bearer …: {2}\[31mBearer … \(request r\)$/u,
    },
    {
      name: 'another server',
      args: ['--url', other],
      want: /^The address answered 200, and not as this service does/u,
    },
    { name: 'a redirect', args: ['--url', redirect], want: /^The address answered 307/u },
  ]
  for (const { name, args = [], env = {}, want } of rows) {
    t.test(name, async (t) => {
      const { exitCode, out, err } = await ask(args, env)
      t.match([exitCode, out], [1, ''])
      t.match(err, /^[^\n]+\n$/u, 'one line')
      t.match(err.trimEnd(), want)
      t.notMatch(err, /eyJ|secret-nonsense|SENTINEL/u)
    })
  }
  const origins = [
    { args: ['--token-file', '/nowhere/token'], want: '--token-file cannot be read: ENOENT' },
    { args: ['--token-env', 'NOWHERE'], want: '--token-env must name a variable that is set' },
    {
      args: ['--token-command', 'echo secret; echo secret >&2; exit 3'],
      want: '--token-command ended with 3; run it by hand to see why',
    },
  ]
  for (const { args, want } of origins) {
    t.test(args.join(' '), async (t) => {
      const { exitCode, out, err } = await run(['credentials', '--url', url, '--policy', 'user-upload', ...args], {
        env: { PATH: process.env.PATH },
      })
      t.strictSame([exitCode, out, err], [1, '', `${want}\n`])
    })
  }
})

t.test('an error is a CommandError, whose words are all that is shown', async (t) => {
  const io = { env: {}, out: () => {}, err: () => {}, terminal: { out: false, err: false } }
  await t.rejects(credentialsCommand(io, { url: 'https://a.test', policy: 'p', tokenEnv: 'T' }), CommandError)
})

t.test('a restriction is asked for, and its credentials are kept apart', async (t) => {
  const { ask, asked, files } = await start(t)
  const inbox = ['--action', 'oss:PutObject', '--prefix', 'users/alice/in/']
  for (const args of [[], inbox, inbox.slice(0, 2), inbox.slice(2), inbox]) t.equal((await ask(args)).exitCode, 0)
  t.equal(asked(), 4)
  t.equal(files().length, 4)
  t.match(await ask(['--prefix', 'users/bob/']), { exitCode: 1, err: /restrictTo\/prefix is not within/u })
  t.match(await ask(['--prefix', '']), { exitCode: 1, err: /restrictTo\/prefix/u })
})
