import { once } from 'node:events'
import { connect } from 'node:net'
import t from 'tap'
import { audited } from './helpers/audited.ts'
import { claims, mint } from './helpers/tokens.ts'
import { until } from './helpers/until.ts'
import { countingSource } from './helpers/vending.ts'

const authorization = `Bearer ${mint(claims())}`

t.test('a client that leaves has one event, whenever it leaves', async (t) => {
  const head = (length: number, token = authorization) =>
    [
      'POST /v1/credentials HTTP/1.1',
      'host: x',
      `authorization: ${token}`,
      'content-type: application/json',
      `content-length: ${length}`,
      '',
      '',
    ].join('\r\n')
  const body = '{"policy":"user-upload"}'

  t.test('before its body is whole', async (t) => {
    const { app, decisions } = await audited(t)
    const address = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
    const socket = connect(Number(address.port), address.hostname)
    socket.write(head(body.length) + body.slice(0, 5))
    const begun = new Promise<void>((resolve) => app.server.once('request', () => resolve()))
    await begun
    socket.resetAndDestroy()
    await until(() => decisions().length > 0)
    await app.close()
    t.match(decisions(), [{ outcome: 'refused', code: 'invalid_request', reason: 'aborted' }])
  })

  for (const { name, token } of [
    { name: 'a good token: no hook of Fastify runs for it any more', token: authorization },
    { name: 'a bad token, which is refused all the same', token: 'Bearer x' },
  ]) {
    t.test(`before its token is checked, ${name}`, async (t) => {
      let free = () => {}
      const held = new Promise<void>((resolve) => {
        free = resolve
      })
      const { app, decisions, logs } = await audited(t)
      let begun = false
      let over = false
      app.addHook('onRequest', async () => {
        begun = true
        await held
        over = true
      })
      const address = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
      const socket = connect(Number(address.port), address.hostname)
      socket.write(head(body.length, token) + body)
      await until(() => begun)
      socket.resetAndDestroy()
      await until(() => decisions().length > 0)
      free()
      await until(() => over && (token === authorization || logs.text().includes('"unauthenticated"')))
      await app.close()
      t.match(decisions(), [{ outcome: 'refused', code: 'invalid_request', reason: 'aborted' }])
      t.equal(decisions().length, 1)
    })
  }

  t.test('while STS is asked: the session is made, so the event says whose it is', async (t) => {
    let pay = () => {}
    const paid = new Promise<void>((resolve) => {
      pay = resolve
    })
    const { asked, source } = countingSource(Date.now, () => paid)
    const { app, decisions } = await audited(t, {}, { source })
    const address = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
    const socket = connect(Number(address.port), address.hostname)
    socket.write(head(body.length) + body)
    await until(() => asked.length === 1)
    const closed = once(socket, 'close')
    socket.resetAndDestroy()
    await closed
    await until(() => app.server.listening && !app.unanswered.working())
    pay()
    await until(() => decisions().length > 0)
    await app.close()
    t.match(decisions(), [{ outcome: 'issued', subject: 'alice', accessKeyId: 'access-1' }])
  })

  t.test('because its body does not come in time', async (t) => {
    const { app, decisions } = await audited(t, { REQUEST_TIMEOUT_MS: '1000' })
    const address = new URL(await app.listen({ host: '127.0.0.1', port: 0 }))
    const socket = connect(Number(address.port), address.hostname)
    socket.write(head(body.length) + body.slice(0, 5))
    let answer = ''
    for await (const chunk of socket.setEncoding('utf8')) answer += chunk
    t.match(answer, /^HTTP\/1.1 408 /u)
    await until(() => decisions().length > 0)
    await app.close()
    t.match(decisions(), [{ outcome: 'refused', code: 'invalid_request', reason: 'aborted' }])
  })
})
