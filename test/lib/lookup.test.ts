import t, { type Test } from 'tap'
import { type Lookup, shareLookups } from '../../src/lib/lookup.ts'
import { call, createPool, createRoute } from '../../src/lib/outbound.ts'
import { listen } from '../helpers/listen.ts'

/** A system that answers when the test likes. */
function heldLookup() {
  const asked: { hostname: string; answer: (address: string) => void; fail: (code: string) => void }[] = []
  const lookup: Lookup = (hostname, _options, callback) => {
    const fail = (code: string) => callback(Object.assign(new Error(code), { code }), '')
    asked.push({ hostname, answer: (address) => callback(null, address, 4), fail })
  }
  return { asked, lookup }
}

const find = (lookup: Lookup, hostname: string, options = {}) =>
  new Promise<unknown>((resolve) => lookup(hostname, options, (error, address) => resolve(error?.code ?? address)))

t.test('all who want a name at the same time share one look-up', async (t) => {
  const { asked, lookup } = heldLookup()
  const shared = shareLookups(lookup)
  const first = [find(shared, 'a.test'), find(shared, 'a.test'), find(shared, 'b.test')]
  const all = find(shared, 'a.test', { all: true })
  t.strictSame(
    asked.map(({ hostname }) => hostname),
    ['a.test', 'b.test', 'a.test'],
    'other options make another look-up',
  )
  asked[0]?.answer('192.0.2.1')
  asked[1]?.fail('ENOTFOUND')
  asked[2]?.answer('192.0.2.2')
  t.strictSame(await Promise.all([...first, all]), ['192.0.2.1', '192.0.2.1', 'ENOTFOUND', '192.0.2.2'])
  const next = [find(shared, 'a.test'), find(shared, 'b.test')]
  t.equal(asked.length, 5, 'neither an answer nor a failure is kept')
  asked[3]?.answer('192.0.2.3')
  asked[4]?.answer('192.0.2.4')
  t.strictSame(await Promise.all(next), ['192.0.2.3', '192.0.2.4'])
})

t.test('a look-up that throws is over', async (t) => {
  let calls = 0
  const shared = shareLookups(() => {
    calls++
    throw new Error('no')
  })
  for (const _ of [1, 2]) t.throws(() => shared('a.test', {}, () => {}), /no/u)
  t.equal(calls, 2)
})

/** As Node looks up: two at a time, for the whole process. The server of `dead.test` never answers. */
function twoThreads() {
  const queue: (() => void)[] = []
  let free = 2
  const next = () => {
    if (free === 0) return
    const run = queue.shift()
    if (!run) return
    free--
    run()
  }
  const lookup: Lookup = (hostname, options, callback) => {
    queue.push(() => {
      if (hostname === 'dead.test') return
      free++
      const address = '127.0.0.1'
      callback(null, options.all ? [{ address, family: 4 }] : address, 4)
      next()
    })
    next()
  }
  return lookup
}

function poolOn(t: Test, route: ReturnType<typeof createRoute>) {
  const pool = createPool({ connections: 10, connectTimeoutMs: 300, maxResponseBytes: 1000, keepAlive: false, route })
  t.teardown(() => pool.dispatcher.destroy())
  return pool
}

t.test('a name that is not found in time leaves the others theirs', async (t) => {
  const url = await listen(t, (_request, response) => response.end('here'))
  const { port } = new URL(url)
  const route = createRoute({ authorities: [], noProxy: '', lookup: twoThreads() })
  const [dead, live] = [poolOn(t, route), poolOn(t, route)]
  const silent = Array.from({ length: 5 }, () =>
    call(dead, { method: 'GET', url: `http://dead.test:${port}`, timeoutMs: 300 }).catch(({ failure }) => failure),
  )
  const { body } = await call(live, { method: 'GET', url: `http://live.test:${port}`, timeoutMs: 5000 })
  t.equal(body, 'here')
  for (const failure of await Promise.all(silent)) t.match(failure, /timeout|network/u)
})
