import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { startContainer } from '../../sandbox/container.ts'
import { sandboxEnvironment } from '../../sandbox/local.ts'
import { build } from '../helpers/build.ts'
import { sendRaw } from '../helpers/raw.ts'

t.test(
  'a service with production’s checks vends from the sandbox of a container, and a URL of it takes an upload',
  async (t) => {
    const folder = t.testdir({ token: 'of an earlier run' })
    const { sandbox, relayPort, close } = await startContainer(folder, { sts: 0, oss: 0, relay: 0 })
    t.teardown(close)
    t.strictSame(readdirSync(folder).sort(), ['issuer.pem', 'token'], 'no half-written file is left')
    const { app } = await build(t, {
      realSts: true,
      env: { ...sandboxEnvironment(sandbox), JWT_SECRET: '', JWT_PUBLIC_KEY_FILE: join(folder, 'issuer.pem') },
    })
    const signed = await app.inject({
      method: 'POST',
      url: '/v1/presigned-urls',
      headers: { authorization: `Bearer ${readFileSync(join(folder, 'token'), 'utf8')}` },
      payload: { policy: 'user-upload', operation: 'PutObject', key: 'users/alice/hello.txt' },
    })
    t.equal(signed.statusCode, 200, signed.body)
    const [{ url }] = signed.json().urls
    // A caller outside of the container comes through the relay, and names the address that the URL is signed for.
    const { pathname, search, host } = new URL(url)
    const head = [`PUT ${pathname}${search} HTTP/1.1`, `host: ${host}`, 'content-length: 5', 'connection: close']
    t.match(await sendRaw(`http://127.0.0.1:${relayPort}`, `${head.join('\r\n')}\r\n\r\nhello`), /^HTTP\/1.1 200 /u)
    t.equal(sandbox.oss.store.get('test-app')?.get('users/alice/hello.txt')?.body.toString(), 'hello')
  },
)
