import { statement } from '../../helpers/templates.ts'
import { EXAMPLE, plantFaults, policies } from './fault.ts'
import { ORIGIN } from './harness.ts'

const allow = (...Action: string[]) => [
  {
    Version: '3' as const,
    Statement: [{ Effect: 'Allow' as const, Action, Resource: ['jrn:oss:*:111111111111:test-app/*'] }],
  },
]
const AFTER_ROLE = ['session length', 'bucket', 'cors']
const AFTER_KEYS = ['role', ...AFTER_ROLE]

plantFaults([
  {
    fault: 'a wrong secret key',
    plant: () => ({ JDCLOUD_SECRET_KEY: 'AnotherSecretKey0000000000000000' }),
    want: {
      name: 'keys',
      message: /secret key does not belong to the access key.*APIGW_SIGN_RESULT_NOT_SAME/u,
      remedy: /set the secret key that belongs to the access key/u,
      settings: ['JDCLOUD_SECRET_KEY', 'JDCLOUD_STS_SIGN_HOST'],
    },
    notChecked: AFTER_KEYS,
  },
  {
    fault: 'an access key that does not exist',
    plant: () => ({ JDCLOUD_ACCESS_KEY: 'JDC_ANOTHERACCESSKEY0000000000' }),
    want: {
      name: 'keys',
      message: /does not know the access key/u,
      remedy: /set the access key of the sub-user/u,
      settings: ['JDCLOUD_ACCESS_KEY'],
    },
    notChecked: AFTER_KEYS,
  },
  {
    fault: 'a role that does not exist',
    plant: () => ({ JDCLOUD_ROLE_NAME: 'other-role' }),
    want: {
      name: 'role',
      message: /role\/other-role: there is no such role/u,
      remedy: /correct the name of the role/u,
      settings: ['JDCLOUD_ROLE_NAME', 'JDCLOUD_ACCOUNT_ID'],
    },
    notChecked: AFTER_ROLE,
  },
  {
    fault: 'a role that does not trust the sub-user',
    scenario: { trusts: [] },
    want: { name: 'role', message: /does not trust the sub-user/u, remedy: /trust policy of the role/u },
    notChecked: AFTER_ROLE,
  },
  {
    fault: 'a clock that is 20 minutes ahead',
    aheadMs: 20 * 60_000,
    want: { name: 'clock', message: /is 20 minutes apart/u, remedy: /20 minutes ahead of .* time service \(NTP\)/u },
    notChecked: ['keys', ...AFTER_KEYS],
  },
  {
    fault: 'a clock that is 20 minutes behind',
    aheadMs: -20 * 60_000,
    want: { name: 'clock', message: /is 20 minutes apart/u, remedy: /20 minutes behind .* time service \(NTP\)/u },
    notChecked: ['keys', ...AFTER_KEYS],
  },
  {
    fault: 'STS that cannot be reached',
    plant: () => ({ JDCLOUD_STS_ENDPOINT: 'http://127.0.0.1:1' }),
    want: {
      name: 'sts',
      message: /cannot reach http:\/\/127\.0\.0\.1:1: nothing listens there \(ECONNREFUSED\)/u,
      remedy: /host and port/u,
      settings: ['JDCLOUD_STS_ENDPOINT'],
    },
    notChecked: ['clock', 'keys', ...AFTER_KEYS],
  },
  {
    fault: 'STS with a certificate that is not trusted',
    plant: (_t, { sts }) => ({ JDCLOUD_STS_ENDPOINT: sts.httpsUrl }),
    want: {
      name: 'sts',
      message: /authority that is not trusted here/u,
      remedy: /EXTRA_CA_FILE/u,
      settings: ['EXTRA_CA_FILE'],
    },
    notChecked: ['clock', 'keys', ...AFTER_KEYS],
  },
  {
    fault: 'STS that never answers',
    plant(_t, { sts }) {
      sts.faults.set({ kind: 'hang' })
      return { STS_TIMEOUT_MS: '200' }
    },
    want: { name: 'sts', message: /did not answer in time/u, remedy: /firewall, route and proxy/u },
    notChecked: ['clock', 'keys', ...AFTER_KEYS],
  },
  {
    fault: 'a gateway that answers in place of STS',
    plant(_t, { sts }) {
      sts.faults.set({ kind: 'html' })
      return {}
    },
    want: {
      name: 'keys',
      message: /no answer that can be used \(.*502\)/u,
      remedy: /check who answers at this address/u,
    },
    notChecked: AFTER_KEYS,
  },
  {
    fault: 'a role whose sessions are shorter than a template asks for',
    scenario: { maxSessionSeconds: 3600 },
    plant: (t) => ({ JDCLOUD_MAX_SESSION_SECONDS: '43200', ...policies(t, { durationSeconds: 7200 }) }),
    want: {
      name: 'session length',
      message: /no session of 7200 s, which mine asks for; 3600 s works.*OUT_OF_RANGE/u,
      remedy: /raise the maximum session duration of the role to 7200 s/u,
      settings: ['JDCLOUD_MAX_SESSION_SECONDS'],
    },
  },
  {
    fault: 'a template that is wider than the role',
    scenario: { rolePolicies: allow('oss:PutObject', 'oss:DeleteObject') },
    plant(t) {
      const wide = { ...statement('users/${jwt:sub}/*'), Action: ['oss:PutObject', 'oss:GetObject'] }
      const can = ['PutObject users/alice/1.jpg', 'GetObject users/alice/1.jpg']
      return policies(t, { policy: { Version: '3', Statement: [wide] }, examples: [{ ...EXAMPLE, can }] })
    },
    probe: true,
    want: {
      name: 'probe mine',
      message: /the role does not allow oss:GetObject on users\/alice\//u,
      remedy:
        /allow oss:GetObject there in the policy of the role \(oss-vend iam prints it\), or take it out of the template/u,
    },
  },
  {
    fault: 'a bucket that does not exist',
    plant: () => ({ OSS_BUCKET: 'another-bucket' }),
    want: {
      name: 'bucket',
      message: /no bucket another-bucket/u,
      remedy: /create it/u,
      settings: ['OSS_BUCKET', 'OSS_REGION'],
    },
    notChecked: ['cors'],
  },
  {
    fault: 'a bucket in another region',
    scenario: { bucketRegion: 'cn-east-2' },
    want: {
      name: 'bucket',
      message: /not in cn-north-1 but in cn-east-2/u,
      remedy: /set the region of the bucket, cn-east-2/u,
    },
    notChecked: ['cors'],
  },
  {
    fault: 'a region that is not that of the endpoint',
    plant: () => ({ OSS_REGION: 'cn-east-1' }),
    want: {
      name: 'bucket',
      message: /not in cn-east-1 but in cn-north-1/u,
      remedy: /set the region/u,
      settings: ['OSS_REGION', 'OSS_ENDPOINT'],
    },
    notChecked: ['cors'],
  },
  {
    fault: 'OSS that cannot be reached',
    plant: () => ({ OSS_ENDPOINT: 'http://127.0.0.1:1' }),
    want: { name: 'oss', message: /nothing listens there/u, remedy: /host and port/u, settings: ['OSS_ENDPOINT'] },
    notChecked: ['bucket', 'cors'],
  },
  {
    fault: 'OSS that never answers',
    plant(_t, { oss }) {
      oss.faults.set({ kind: 'hang' })
      return { STS_TIMEOUT_MS: '3000' }
    },
    want: { name: 'oss', message: /did not answer in time/u, remedy: /firewall, route and proxy/u },
    notChecked: ['bucket', 'cors'],
  },
  {
    fault: 'a bucket without CORS rules',
    plant(_t, { oss }) {
      for (const bucket of oss.store.values()) bucket.cors.rules = undefined
      return {}
    },
    want: {
      name: 'cors',
      message: /pages of https:\/\/app\.example\.com may not send/u,
      remedy: /add a CORS rule to test-app: AllowedOrigin/u,
    },
  },
  {
    fault: 'CORS rules without a method that templates allow',
    plant(_t, { oss }) {
      for (const { cors } of oss.store.values()) {
        cors.rules = cors.rules?.map((rule) => ({ ...rule, methods: ['GET', 'POST', 'DELETE'] }))
      }
      return {}
    },
    want: {
      name: 'cors',
      message: /may not send PUT with the headers of SDKs/u,
      remedy: new RegExp(`AllowedOrigin ${ORIGIN}`, 'u'),
    },
  },
])
