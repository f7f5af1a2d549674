import { examples, testClient } from './client.ts'

testClient({
  name: 'fromOssVend for the AWS SDK for JavaScript v3',
  command: [process.execPath, `--import=${import.meta.resolve('tsx')}`, `${examples}node/upload.ts`],
  env: (world) => ({ ...world.rest, NODE_EXTRA_CA_CERTS: world.sandbox.caFile }),
  says: {
    badToken: /^oss-vend answers 401: unauthenticated, /mu,
    notAllowed: /^oss-vend answers 403: policy_not_allowed, .*claim "scope"/mu,
    stsDown: /^oss-vend answers 503: upstream_unavailable, /mu,
  },
  skip: false,
})
