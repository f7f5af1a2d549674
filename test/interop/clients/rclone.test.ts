import { join } from 'node:path'
import { before } from 'node:test'
import { build, examples, skipWithout, testClient } from './client.ts'

const skip = skipWithout('go', 'version')
const source = join(import.meta.dirname, 'rclone')

before(() => skip || build('go', ['build', '-o', 'build/rclone', '.'], source))

testClient({
  name: 'rclone',
  command: ['sh', `${examples}rclone/upload.sh`],
  env: (world) => ({
    ...world.container,
    SSL_CERT_FILE: world.sandbox.caFile,
    PATH: `${source}/build:${world.env.PATH}`,
  }),
  says: { badToken: /unauthenticated/u, notAllowed: /policy_not_allowed/u, stsDown: /upstream_unavailable/u },
  // One for each command, since rclone keeps nothing between them.
  vends: 5,
  skip,
})
