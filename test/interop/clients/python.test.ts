import { examples, testClient, testSetting } from './client.ts'
import { PYTHON, pythonEnv, skip } from './python.ts'

const command = [PYTHON, `${examples}python/upload.py`] as const

testClient({
  name: 'boto3 with container credentials',
  command,
  env: (world) => ({ ...pythonEnv(world), ...world.container }),
  says: { badToken: /unauthenticated/u, notAllowed: /policy_not_allowed/u, stsDown: /upstream_unavailable/u },
  skip,
})

testClient({
  name: 'boto3 with web identity',
  command,
  env: (world) => ({ ...pythonEnv(world), ...world.webIdentity }),
  says: {
    badToken: /\(InvalidIdentityToken\) .*: The token /u,
    notAllowed: /\(AccessDenied\) .*: .*claim "scope"/u,
    stsDown: /\(ServiceUnavailable\) .*: The credential source is not available/u,
  },
  skip,
})

testSetting({
  name: 'boto3',
  example: 'python',
  file: 'upload.py',
  text: 'request_checksum_calculation="when_required", ',
  command: (folder) => [PYTHON, `${folder}/upload.py`],
  env: (world) => ({ ...pythonEnv(world), ...world.container }),
  says: /NotImplemented.*aws-chunked/u,
  skip,
})
