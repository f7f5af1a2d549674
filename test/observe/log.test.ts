import t from 'tap'
import { captureLogs } from '../helpers/logs.ts'

const SECRET = 'SENTINEL-secret'

t.test('what goes by the name of a secret is kept out, however it got into a line', async (t) => {
  const { logger, text, lines } = captureLogs()
  const given = { accessKey: SECRET, harmless: 1, one: { token: SECRET, two: { secretKey: SECRET, kept: 'x' } } }
  logger.info(given, 'line')
  logger.info({ credentials: { sessionToken: SECRET } }, 'line')
  logger.child({ authorization: SECRET, request: { token: SECRET } }).info('line')
  logger.child({ reqId: 'x' }).child({ token: SECRET }).info('line')
  logger.child({ reqId: 'x' }).info({ a: { b: { c: { d: SECRET } } } }, 'deeper than anything that is logged')
  t.notMatch(text(), SECRET)
  t.match(lines()[0], { harmless: 1, one: { token: '[Redacted]', two: { kept: 'x' } }, msg: 'line' })
  t.equal(given.one.two.secretKey, SECRET, 'what was given to be logged is left as it was')
})

t.test('what has no secret is logged as it is', async (t) => {
  const { logger, lines } = captureLogs()
  logger.info({ upstream: { status: 500, list: ['a', { b: 1 }], nothing: null, missing: undefined } }, 'line')
  t.match(lines()[0], { upstream: { status: 500, list: ['a', { b: 1 }], nothing: null }, msg: 'line' })
})

t.test('a message that looks like a stack is no part of one', async (t) => {
  const { logger, text, lines } = captureLogs()
  logger.warn({ error: new Error('SENTINEL\n    at SENTINEL (SENTINEL.ts:1:1)') }, 'said')
  logger.warn({ error: new Error('x', { cause: new TypeError('\n  at SENTINEL') }) }, 'said')
  t.notMatch(text(), /SENTINEL/u)
  t.match(lines()[0], { error: { stack: [/log\.test\.ts/u] } })
})
