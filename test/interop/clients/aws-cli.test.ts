import { examples, testClient, testSetting } from './client.ts'
import { awsOnPath, pythonEnv, skip } from './python.ts'
import type { World } from './world.ts'

const env = async (world: World) => ({ ...pythonEnv(world), ...(await awsOnPath(world)), ...world.container })

testClient({
  name: 'the AWS CLI',
  command: ['sh', `${examples}aws-cli/upload.sh`],
  env,
  says: { badToken: /unauthenticated/u, notAllowed: /policy_not_allowed/u, stsDown: /upstream_unavailable/u },
  // One for each command, since the CLI keeps nothing between them.
  vends: 5,
  skip,
})

testSetting({
  name: 'the AWS CLI',
  example: 'aws-cli',
  file: 'config',
  text: 'request_checksum_calculation = when_required\n',
  command: (folder) => ['sh', `${folder}/upload.sh`],
  env,
  says: /NotImplemented.*aws-chunked/u,
  skip,
})
