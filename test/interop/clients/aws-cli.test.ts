import { examples, testClient } from './client.ts'
import { awsOnPath, pythonEnv, skip } from './python.ts'

testClient({
  name: 'the AWS CLI',
  command: ['sh', `${examples}aws-cli/upload.sh`],
  env: async (world) => ({ ...pythonEnv(world), ...(await awsOnPath(world)), ...world.container }),
  says: { badToken: /unauthenticated/u, notAllowed: /policy_not_allowed/u, stsDown: /upstream_unavailable/u },
  // One for each command, since the CLI keeps nothing between them.
  vends: 5,
  skip,
})
