import { before } from 'node:test'
import { build, examples, skipWithout, testClient } from './client.ts'

const skip = skipWithout('go', 'version')
const program = `${examples}go/build/upload`

before(() => skip || build('go', ['build', '-o', program, '.'], `${examples}go`))

testClient({
  name: 'the AWS SDK for Go v2',
  command: [program],
  env: (world) => ({ ...world.container, SSL_CERT_FILE: world.sandbox.caFile }),
  says: { badToken: /unauthenticated/u, notAllowed: /policy_not_allowed/u, stsDown: /upstream_unavailable/u },
  skip,
})
