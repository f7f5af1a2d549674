import { connect, createServer, rootCertificates, type SecureContext } from 'node:tls'
import t, { type Test } from 'tap'
import { readCertificates, rootsOfNode, trusting } from '../../src/lib/authorities.ts'
import { createAuthority } from '../helpers/certificates.ts'

/** Whether a server with a certificate of this authority is trusted. */
async function trusts(t: Test, secureContext: SecureContext, authority: Awaited<ReturnType<typeof createAuthority>>) {
  const server = createServer(await authority.certify('127.0.0.1'), (socket) => socket.on('error', () => {}).end())
  server.on('tlsClientError', () => {})
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  t.teardown(() => server.close())
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('not listening on a port')
  return new Promise<boolean>((resolve) => {
    const socket = connect({ host: '127.0.0.1', port: address.port, secureContext }, () => resolve(true))
    socket.on('error', () => resolve(false)).on('close', () => socket.destroy())
  })
}

t.test('further authorities are trusted, and no others', async (t) => {
  const [one, two, stranger] = [await createAuthority('one'), await createAuthority('two'), await createAuthority('x')]
  const context = trusting([one.pem, two.pem])
  t.equal(await trusts(t, context, one), true)
  t.equal(await trusts(t, context, two), true)
  t.equal(await trusts(t, context, stranger), false)
})

t.test('the roots of Node are kept', async (t) => {
  const roots = new Set(rootsOfNode())
  t.strictSame(
    rootCertificates.filter((root) => !roots.has(root)),
    [],
  )
  t.ok(roots.size > 50)
})

t.test('a bundle is read as a whole, or not at all', async (t) => {
  const { pem } = await createAuthority()
  t.equal(readCertificates(`${pem}\n${pem}`)?.length, 2)
  t.equal(readCertificates(`text\n${pem}text`)?.length, 1)
  for (const bad of ['', 'x', `${pem}-----BEGIN CERTIFICATE-----\n`, pem.replace('MII', 'MIJ')]) {
    t.equal(readCertificates(bad), undefined)
  }
})
