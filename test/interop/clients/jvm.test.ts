import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { join } from 'node:path'
import { before, test } from 'node:test'
import { promisify } from 'node:util'
import { build, examples, skipWithout, testClient } from './client.ts'
import { startWorld, type World } from './world.ts'

const run = promisify(execFile)
const skip = skipWithout('mvn', '--version')

before(() => skip || build('mvn', ['--batch-mode', '--quiet', '--threads=2', 'package'], examples))

/** A JVM reads no PEM files. */
async function trust({ sandbox, directory }: World) {
  const store = join(directory, 'trust.p12')
  const certificate = ['-alias', 'sandbox', '-file', sandbox.caFile]
  const into = ['-keystore', store, '-storepass', 'changeit']
  await run('keytool', ['-importcert', '-noprompt', ...certificate, ...into])
  const trusted = `-Djavax.net.ssl.trustStore=${store} -Djavax.net.ssl.trustStorePassword=changeit`
  // Programs that end after seconds are not worth optimising.
  return { JDK_JAVA_OPTIONS: `${trusted} -XX:TieredStopAtLevel=1 -XX:+UseSerialGC` }
}

const rest = {
  badToken: /^oss-vend answers 401: unauthenticated, /mu,
  notAllowed: /^oss-vend answers 403: policy_not_allowed, .*claim "scope"/mu,
  stsDown: /^oss-vend answers 503: upstream_unavailable, /mu,
}
const jar = (name: string) => `${examples}${name}/target/${name}.jar`

testClient({
  name: 'OssVendCredentialsProvider for the AWS SDK for Java v1',
  command: ['java', '-jar', jar('java-v1')],
  env: async (world) => ({ ...world.rest, ...(await trust(world)) }),
  says: rest,
  skip,
})

testClient({
  name: 'ossVendCredentials for the AWS SDK for Kotlin',
  command: ['java', '-jar', jar('kotlin')],
  env: async (world) => ({ ...world.rest, ...(await trust(world)) }),
  says: rest,
  skip,
})

testClient({
  name: 'the AWS SDK for Java v2',
  command: ['java', '-jar', jar('java-v2')],
  env: async (world) => ({ ...world.container, ...(await trust(world)) }),
  // It shows the message without the code.
  says: {
    badToken: /^A valid bearer token is required/mu,
    notAllowed: /^This policy is not for this caller: claim "scope"/mu,
    stsDown: /^The credential source is not available/mu,
  },
  skip,
})

test('threads that share an OssVendCredentialsProvider share one request, and a refused session is replaced', {
  skip,
}, async (t) => {
  const world = await startWorld(t)
  const classpath = `${examples}java-v1/target/classes:${examples}java-v1/target/lib/*`
  const program = join(import.meta.dirname, 'OneFlight.java')
  const { stdout } = await run('java', ['-cp', classpath, program, world.url, await world.mint('oss.files')], {
    env: { ...world.env, ...(await trust(world)) },
  })
  assert.equal(stdout, '1 for 16 threads\n2 after a refusal\n')
  assert.equal(world.vends(), 2)
})
