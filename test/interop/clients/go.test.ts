import { before } from 'node:test'
import { build, examples, skipWithout, testClient, testSetting } from './client.ts'
import type { World } from './world.ts'

const skip = skipWithout('go', 'version')
const program = `${examples}go/build/upload`
const env = (world: World) => ({ ...world.container, SSL_CERT_FILE: world.sandbox.caFile })

before(() => skip || build('go', ['build', '-o', program, '.'], `${examples}go`))

testClient({
  name: 'the AWS SDK for Go v2',
  command: [program],
  env,
  says: { badToken: /unauthenticated/u, notAllowed: /policy_not_allowed/u, stsDown: /upstream_unavailable/u },
  skip,
})

const needs = [
  {
    text: ', config.WithRequestChecksumCalculation(aws.RequestChecksumCalculationWhenRequired)',
    says: /^cannot upload users\/alice\/hello\.txt: .*NotImplemented.*aws-chunked/mu,
  },
  {
    text: 'u.RequestChecksumCalculation = aws.RequestChecksumCalculationWhenRequired',
    says: /^cannot upload users\/alice\/film\.bin: .*NotImplemented.*aws-chunked/mu,
  },
]
for (const { text, says } of needs) {
  testSetting({
    name: 'the AWS SDK for Go v2',
    example: 'go',
    file: 'main.go',
    text,
    build: (folder) => build('go', ['build', '-o', 'build/upload', '.'], folder),
    command: (folder) => [`${folder}/build/upload`],
    env,
    says,
    skip,
  })
}
