import { execFile } from 'node:child_process'
import { cpSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { promisify } from 'node:util'
import { Ajv2020 } from 'ajv/dist/2020.js'
import t from 'tap'
import { parse } from 'yaml'
import { z } from 'zod'
import { readConfig } from '../../src/config/config.ts'
import { settings } from '../../src/config/settings.ts'
import { SENTINELS } from '../helpers/build.ts'
import { keys, pem } from '../helpers/tokens.ts'
import { settingsIn } from './manifests.ts'

const text = readFileSync('deploy/compose.yaml', 'utf8')
const service = z.looseObject({
  ports: z.array(z.string()).default([]),
  environment: z.record(z.string(), z.string()).default({}),
  secrets: z.array(z.string()).default([]),
  profiles: z.array(z.string()).default([]),
  networks: z.array(z.string()).default([]),
})
const compose = z
  .looseObject({
    services: z.record(z.string(), service),
    secrets: z.record(z.string(), z.object({ file: z.string() })),
    networks: z.record(z.string(), z.unknown()),
  })
  .parse(parse(text, { merge: true }))
const serviceOf = (name: string) => service.parse(compose.services[name])

/** The settings of a service, with the secrets in a folder of the test. */
function environmentOf(name: string, folder: string): Record<string, string> {
  const inFolder = Object.entries(serviceOf(name).environment).map(([setting, value]) =>
    setting.endsWith('_FILE') ? [setting, join(folder, basename(value))] : [setting, value],
  )
  return Object.fromEntries(inFolder)
}

t.test('it is what the schema of the Compose specification says', async (t) => {
  // The schema that Docker Compose itself uses: schema/compose-spec.json of compose-go 2.16.2 (Apache-2.0), unchanged.
  const schema = JSON.parse(readFileSync('test/fixtures/compose-spec.json', 'utf8'))
  const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(schema)
  t.ok(validate(parse(text, { merge: true })), JSON.stringify(validate.errors))
  t.notOk(validate({ services: { a: { image: 'a', read_onyl: true } } }), 'a typing error is found')
})

for (const [name, content] of Object.entries(compose.services)) {
  t.test(`${name} has the least rights, and is reached from this machine alone`, async (t) => {
    t.match(content, {
      user: '1000:1000',
      read_only: true,
      cap_drop: ['ALL'],
      security_opt: ['no-new-privileges:true'],
      healthcheck: {},
    })
    for (const port of content.ports) t.match(port, /^127\.0\.0\.1:/u)
  })
}

t.test('Redis is reached by the service alone, and asks for a password', async (t) => {
  t.match(compose.networks.redis, { internal: true })
  t.strictSame(serviceOf('redis').networks, ['redis'])
  t.strictSame(serviceOf('redis').ports, [])
  t.strictSame(
    Object.keys(compose.services).filter((name) => serviceOf(name).networks.includes('redis')),
    ['oss-vend', 'redis'],
  )
})

t.test('the sandbox starts only when it is asked for', async (t) => {
  for (const name of ['sandbox', 'oss-vend-sandbox']) t.strictSame(serviceOf(name).profiles, ['sandbox'])
  for (const name of ['oss-vend', 'redis']) t.strictSame(serviceOf(name).profiles, [])
})

t.test('secrets.sh writes what the service and Redis read, and never replaces it', async (t) => {
  const folder = t.testdir()
  cpSync('deploy/secrets.sh', join(folder, 'secrets.sh'))
  const run = async (answers: string) => {
    const running = promisify(execFile)('sh', [join(folder, 'secrets.sh')])
    // The script may end before it reads all answers.
    running.child.stdin?.on('error', () => {}).end(answers)
    return running
  }
  await t.rejects(run('\n\n'), /jdcloud-access-key: nothing was given/u)
  const { stdout, stderr } = await run(`${SENTINELS.stsAccessKey}\n${SENTINELS.stsSecretKey}\n`)
  t.notMatch(stdout + stderr, /SENTINEL/u)
  const secrets = join(folder, 'secrets')
  const files = Object.values(compose.secrets).map(({ file }) => basename(file))
  t.strictSame(readdirSync(secrets).sort(), files.sort())
  t.equal(statSync(secrets).mode & 0o777, 0o700)
  for (const file of files) t.equal(statSync(join(secrets, file)).mode & 0o777, 0o444, file)
  const [, password] = /^requirepass ([0-9a-f]{64})\n$/u.exec(readFileSync(join(secrets, 'redis.conf'), 'utf8')) ?? []
  t.equal(readFileSync(join(secrets, 'redis-url'), 'utf8'), `redis://:${password}@redis:6379`)

  const given = { ...settingsIn('deploy/settings.env'), ...environmentOf('oss-vend', secrets) }
  t.match(readConfig(given), { opsPort: 9464, redis: {}, targets: [{ oss: { bucket: 'test-app' } }] })
  const before = files.map((file) => readFileSync(join(secrets, file), 'utf8'))
  await run('')
  t.strictSame(
    files.map((file) => readFileSync(join(secrets, file), 'utf8')),
    before,
  )
})

t.test('the service beside the sandbox has settings that production accepts', async (t) => {
  const folder = t.testdir()
  writeFileSync(join(folder, 'issuer.pem'), pem(keys.p256.publicKey))
  t.match(readConfig(environmentOf('oss-vend-sandbox', folder)), { opsPort: 9464 })
})

t.test('each setting exists, and each secret that a service reads is mounted', async (t) => {
  const known = new Set([...Object.keys(settings), 'NODE_OPTIONS'])
  for (const name of Object.keys(settingsIn('deploy/settings.env'))) t.ok(known.has(name), name)
  for (const [name, content] of Object.entries(compose.services)) {
    for (const [setting, value] of Object.entries(content.environment)) {
      t.ok(known.has(setting.replace(/_FILE$/u, '')), `${name}: ${setting}`)
      const [, secret] = /^\/run\/secrets\/(.+)$/u.exec(value) ?? []
      if (secret) t.ok(content.secrets.includes(secret), `${name}: ${secret} is mounted`)
    }
    for (const secret of content.secrets) t.ok(compose.secrets[secret], `${name}: ${secret} is declared`)
  }
})

t.test('memory: the heap, the limit and the point of shedding fit', async (t) => {
  t.match(compose.services['oss-vend'], {
    mem_limit: '1g',
    environment: { NODE_OPTIONS: '--max-old-space-size=768', OVERLOAD_RSS_MB: '920' },
  })
})

t.test('the Dockerfiles that it builds are there, and what they copy is sent to the builder', async (t) => {
  const ignored = readFileSync('.dockerignore', 'utf8').split('\n')
  for (const file of ['Dockerfile', 'deploy/sandbox.Dockerfile']) {
    const copied = [...readFileSync(file, 'utf8').matchAll(/^COPY (?!--from)(.+) \S+$/gmu)].flatMap(([, what = '']) =>
      what.split(' '),
    )
    t.ok(copied.length > 0)
    for (const path of copied) t.ok(existsSync(path) && ignored.includes(`!${path}`), path)
  }
})
