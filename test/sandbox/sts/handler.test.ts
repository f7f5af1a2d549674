import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { PATH, type RefusedRow, ROLE_JRN, refuses, startSts } from './harness.ts'

t.test("a success has JD Cloud's form", async (t) => {
  const sts = await startSts(t)
  const { status, headers, text, requestId } = await sts.call()
  t.equal(status, 200)
  t.match(headers['content-type'], /^application\/json/u)
  t.equal(headers['x-jdcloud-request-id'], requestId)
  const document = JSON.parse(text)
  t.strictSame(Object.keys(document), ['requestId', 'result'])
  t.strictSame(Object.keys(document.result), ['credentials'])
  t.strictSame(Object.keys(document.result.credentials), ['accessKey', 'secretKey', 'sessionToken', 'expiration'])
})

t.test("a failure has JD Cloud's form", async (t) => {
  const sts = await startSts(t)
  const { status, headers, text, requestId } = await sts.call({ info: { durationSeconds: 900 } })
  t.equal(status, 400)
  t.match(headers['content-type'], /^application\/json/u)
  t.strictSame(JSON.parse(text), {
    requestId,
    error: {
      code: 400,
      status: 'OUT_OF_RANGE',
      message: "durationSeconds must be between 3600 and the role's longest session.",
      details: [{ field: 'assumeRoleInfo.durationSeconds' }],
    },
  })
})

t.test('expirations in either zone', async (t) => {
  for (const [expirationZone, want] of [
    ['UTC', '2026-01-02 21:30:00'],
    ['+08:00', '2026-01-03 05:30:00'],
  ] as const) {
    t.test(expirationZone, async (t) => {
      const sts = await startSts(t, { expirationZone })
      t.equal((await sts.call()).result?.credentials.expiration, want)
    })
  }
})

t.test('addresses and methods', async (t) => {
  const unknown = [404, 'NOT_FOUND'] as const
  const wrongMethod = [405, 'HTTP_METHOD_NOT_ALLOWED'] as const
  const rows: RefusedRow[] = [
    { name: 'another path', input: { wirePath: '/v1/sessionToken' }, want: unknown },
    { name: 'a colon that is encoded twice', input: { wirePath: '/v1/sessionToken%253AassumeRole' }, want: unknown },
    { name: 'a query', input: { wirePath: `${PATH}?a=b` }, want: unknown },
    { name: 'a slash too many', input: { wirePath: `/${PATH}` }, want: unknown },
    { name: 'GET', input: { method: 'GET', body: '' }, want: wrongMethod },
    { name: 'PUT', input: { method: 'PUT' }, want: wrongMethod },
  ]
  refuses(t, rows)

  t.test('the answer to a wrong method names the right one', async (t) => {
    const sts = await startSts(t)
    t.equal((await sts.call({ method: 'PUT' })).headers.allow, 'POST')
  })
})

t.test('a body of 64 KiB is read, one byte more is not', async (t) => {
  const sts = await startSts(t)
  const body = JSON.stringify({ assumeRoleInfo: { roleJrn: ROLE_JRN, roleSessionName: 'upload@alice' } })
  t.equal((await sts.call({ body: body.padEnd(65_536) })).status, 200)
  const { status, headers, error } = await sts.call({
    body: body.padEnd(65_537),
    tamper: (signed) => ({ ...signed, connection: 'keep-alive' }),
  })
  t.strictSame([status, error?.status], [413, 'HTTP_REQUEST_ENTITY_TOO_LARGE'])
  t.equal(headers.connection, 'close')
})

t.test('a client that disconnects during its body does no harm', async (t) => {
  const errors: unknown[] = []
  const sts = await startSts(t, { onInternalError: (error) => errors.push(error) })
  const socket = connect(sts.port, '127.0.0.1')
  await once(socket, 'connect')
  socket.write(`POST ${PATH} HTTP/1.1\r\nhost: a\r\ncontent-length: 100\r\n\r\n{`)
  socket.destroy()
  t.equal((await sts.call()).status, 200)
  t.strictSame(errors, [], 'and it does not count as a bug')
})

t.test('requests are recorded, refused or not, so that tests can check least privilege', async (t) => {
  const sts = await startSts(t)
  await sts.call({ info: { durationSeconds: 7200 } })
  await sts.call({ info: { roleJrn: 'jrn:iam::111111111111:role/other' } })
  await sts.call({ tamper: (headers) => ({ ...headers, 'content-type': 'text/plain' }) })
  const accessKey = 'JDC_SANDBOXTESTIAM000000000000000'
  t.strictSame(sts.asked, [
    { accessKey, roleJrn: ROLE_JRN, roleSessionName: 'upload@alice', durationSeconds: 7200 },
    { accessKey, roleJrn: 'jrn:iam::111111111111:role/other', roleSessionName: 'upload@alice' },
  ])
})

t.test('the record is bounded and drops the oldest first', async (t) => {
  const sts = await startSts(t, { remember: 2 })
  for (const roleSessionName of ['first', 'second', 'third']) await sts.call({ info: { roleSessionName } })
  t.strictSame(
    sts.asked.map(({ roleSessionName }) => roleSessionName),
    ['second', 'third'],
  )
})

t.test('a bug is reported to the operator; the client sees only a code', async (t) => {
  const bug = new Error('planted')
  const errors: unknown[] = []
  const sts = await startSts(t, {
    onInternalError: (error) => errors.push(error),
    world: (world) => ({
      ...world,
      sessions: {
        ...world.sessions,
        issue: () => {
          throw bug
        },
      },
    }),
  })
  const { status, error, text } = await sts.call()
  t.strictSame([status, error?.status], [500, 'INTERNAL'])
  t.notMatch(text, 'planted')
  t.strictSame(errors, [bug])
})
