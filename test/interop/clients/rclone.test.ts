import { join } from 'node:path'
import { before } from 'node:test'
import { build, examples, skipWithout, testClient, testSetting } from './client.ts'
import type { World } from './world.ts'

const skip = skipWithout('go', 'version')
const source = join(import.meta.dirname, 'rclone')
const env = (world: World) => ({
  ...world.container,
  SSL_CERT_FILE: world.sandbox.caFile,
  PATH: `${source}/build:${world.env.PATH}`,
})

before(() => skip || build('go', ['build', '-o', 'build/rclone', '.'], source))

testClient({
  name: 'rclone',
  command: ['sh', `${examples}rclone/upload.sh`],
  env,
  says: { badToken: /unauthenticated/u, notAllowed: /policy_not_allowed/u, stsDown: /upstream_unavailable/u },
  // One for each command, since rclone keeps nothing between them.
  vends: 5,
  skip,
})

const needs = [
  { text: '--s3-no-check-bucket', says: /CreateBucket/u },
  { text: '--no-check-dest', says: /HeadObject.*Forbidden/u },
]
for (const { text, says } of needs) {
  testSetting({
    name: 'rclone',
    example: 'rclone',
    file: 'upload.sh',
    text,
    command: (folder) => ['sh', `${folder}/upload.sh`],
    env,
    says,
    skip,
  })
}
