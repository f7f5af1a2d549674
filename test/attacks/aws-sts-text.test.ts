import fc from 'fast-check'
import t from 'tap'
import { awsRefusal } from '../../src/sts/aws-refusal.ts'
import { build, onAwsSts } from '../helpers/build.ts'
import { listen } from '../helpers/listen.ts'
import { claims, mint } from '../helpers/tokens.ts'

/** Keys in the forms of AWS, MinIO and Ceph; made up. */
const AWS = { accessKey: 'AKIA0Q7ZK3M9XW1VT5RB', secretKey: 'k8Hn2/ypG6CF4JaL0e+Q7zk3M9Xw1vT5rb8hND2Y' }
const HEX = { accessKey: '9C8B7A6D5E4F3021', secretKey: '1203f4e5d6a7b8c91203f4e5d6a7b8c9' }
const KEYS = [AWS, HEX]

/** Whether eight characters in a row of a key are in the text, whatever their case. */
function leaks(text: string): boolean {
  const plain = text.toLowerCase().replaceAll('-', '')
  return KEYS.flatMap((keys) => Object.values(keys)).some((secret) =>
    Array.from({ length: secret.length - 7 }).some((_, at) => plain.includes(secret.slice(at, at + 8).toLowerCase())),
  )
}

const answer = (body: string, status = 403) => ({ status, body, headers: {} })
const aws = (code: string, id: string) =>
  `<ErrorResponse><Error><Code>${code}</Code><Message>${code}</Message></Error><RequestId>${id}</RequestId></ErrorResponse>`
const ceph = (code: string, id: string) => `<Error><Code>${code}</Code><RequestId>${id}</RequestId></Error>`

t.test('no refusal brings a part of a key into the log', async (t) => {
  const uuid = (text: string) => text.toLowerCase().replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/u, '$1-$2-$3-$4-$5')
  const ids = [
    HEX.accessKey,
    [...HEX.accessKey].reverse().join(''),
    uuid(HEX.secretKey),
    uuid(Buffer.from(AWS.accessKey).toString('hex')),
    `tx${HEX.secretKey.slice(0, 21)}-006b0a5674-100c-default`,
    `tx00000bcb1a7e3f44702a5-006b0a5674-100c-${AWS.accessKey}`,
    `tx00000bcb1a7e3f44702a5-006b0a5674-100c-${HEX.secretKey}`,
  ]
  for (const id of ids) {
    for (const write of [aws, ceph]) {
      const { log } = awsRefusal(answer(write('AccessDenied', id)), KEYS)
      t.strictSame(log, { upstream: { status: 403, requestId: undefined, reason: 'AccessDenied' } }, id)
    }
  }
  for (const code of [
    AWS.accessKey,
    AWS.secretKey,
    `AccessDenied ${AWS.accessKey}`,
    `InvalidAccessKeyId${HEX.accessKey}`,
  ]) {
    t.match(awsRefusal(answer(aws(code, 'x')), KEYS).log, { upstream: { reason: 'other', requestId: undefined } }, code)
  }
})

t.test('nothing that STS writes does', async () => {
  const part = fc.constantFrom(...KEYS.flatMap((keys) => Object.values(keys)))
  const piece = fc
    .tuple(part, fc.nat({ max: 32 }), fc.nat({ max: 40 }), fc.constantFrom('lower', 'upper', 'same'))
    .map(([text, from, length, how]) => {
      const slice = text.slice(from, from + length)
      return how === 'lower' ? slice.toLowerCase() : how === 'upper' ? slice.toUpperCase() : slice
    })
  const hex = fc.stringMatching(/^[0-9a-f]{0,24}$/u)
  const text = fc.tuple(hex, piece, hex).map((all) => all.join(''))
  const id = fc.oneof(
    text,
    text.map((one) => one.toUpperCase().slice(0, 16).padEnd(16, '0')),
    text.map((one) => `tx${one.slice(0, 21).padEnd(21, '0')}-006b0a5674-100c-default`),
    text.map((one) => `tx00000bcb1a7e3f44702a5-006b0a5674-100c-${one.slice(0, 32)}`),
    text.map((one) => one.padEnd(32, '0').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12}).*$/u, '$1-$2-$3-$4-$5')),
  )
  fc.assert(
    fc.property(
      text,
      id,
      fc.constantFrom(aws, ceph),
      (code, id, write) => !leaks(JSON.stringify(awsRefusal(answer(write(code, id)), KEYS).log)),
    ),
    { numRuns: 5000 },
  )
})

t.test("no part of an answer that quotes our keys is in the service's log or in its answer", async (t) => {
  const quoting = aws(AWS.accessKey, AWS.secretKey)
  const known = ceph('SignatureDoesNotMatch', AWS.accessKey)
  const paying = `<AssumeRoleResponse><AssumeRoleResult><Credentials><AccessKeyId>${AWS.accessKey}</AccessKeyId><SecretAccessKey>${AWS.secretKey}</SecretAccessKey><SessionToken>t</SessionToken><Expiration>${AWS.secretKey}</Expiration></Credentials></AssumeRoleResult></AssumeRoleResponse>`
  for (const [status, body] of [
    [403, quoting],
    [403, known],
    [400, quoting],
    [500, quoting],
    [429, quoting],
    [200, quoting],
    [200, paying],
    [403, `<html>${AWS.accessKey}</html>`],
    [403, `<!DOCTYPE x [<!ENTITY a "${AWS.secretKey}">]><Error><Code>&a;</Code></Error>`],
    [302, ''],
  ] as const) {
    const headers = { location: `/${AWS.accessKey}`, 'retry-after': AWS.accessKey, 'x-amz-request-id': AWS.accessKey }
    const endpoint = await listen(t, (_request, response) => response.writeHead(status, headers).end(body))
    const env = {
      ...onAwsSts,
      AWS_STS_ENDPOINT: endpoint,
      AWS_STS_ACCESS_KEY: AWS.accessKey,
      AWS_STS_SECRET_KEY: AWS.secretKey,
    }
    const { app, logs } = await build(t, { env, realSts: true })
    const response = await app.inject({
      method: 'POST',
      url: '/v1/credentials',
      headers: { authorization: `Bearer ${mint(claims())}` },
      payload: { policy: 'user-upload' },
    })
    t.match(response.json().code, /^upstream_/u)
    t.ok(logs.lines().some(({ code }) => code === response.json().code))
    t.notOk(leaks(logs.text().replaceAll('\\n', '') + response.body + JSON.stringify(response.headers)), `${status}`)
  }
})
