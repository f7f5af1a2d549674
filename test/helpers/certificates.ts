// The X.509 library needs this polyfill before it loads.
import 'reflect-metadata'
import { randomBytes, webcrypto } from 'node:crypto'
import {
  BasicConstraintsExtension,
  type JsonGeneralName,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'

const KEY = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const makeKeys = () => webcrypto.subtle.generateKey(KEY, true, ['sign', 'verify'])
const serialNumber = () => `01${randomBytes(15).toString('hex')}`
const validity = () => ({ notBefore: new Date(Date.now() - 60_000), notAfter: new Date(Date.now() + 3_600_000) })

/** The certificate and key of a server, in PEM. */
export type ServerCertificate = Readonly<{ cert: string; key: string }>

/** A certificate authority for one test: its certificate in PEM, and certificates that it makes. */
export type Authority = Readonly<{ pem: string; certify(...hosts: string[]): Promise<ServerCertificate> }>

export async function createAuthority(name = 'a test'): Promise<Authority> {
  const keys = await makeKeys()
  const authority = await X509CertificateGenerator.createSelfSigned({
    ...validity(),
    serialNumber: serialNumber(),
    name: `CN=CA of ${name}`,
    keys,
    signingAlgorithm: KEY,
    extensions: [new BasicConstraintsExtension(true, 0, true), new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true)],
  })
  return {
    pem: `${authority.toString('pem')}\n`,
    async certify(...hosts) {
      const own = await makeKeys()
      const names = hosts.map((value): JsonGeneralName => ({ type: /^[\d.]+$/u.test(value) ? 'ip' : 'dns', value }))
      const certificate = await X509CertificateGenerator.create({
        ...validity(),
        serialNumber: serialNumber(),
        subject: 'CN=a server of a test',
        issuer: authority.subject,
        publicKey: own.publicKey,
        signingKey: keys.privateKey,
        signingAlgorithm: KEY,
        extensions: [new SubjectAlternativeNameExtension(names)],
      })
      const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', own.privateKey)).toString('base64')
      const key = `-----BEGIN PRIVATE KEY-----\n${pkcs8}\n-----END PRIVATE KEY-----\n`
      return { cert: certificate.toString('pem'), key }
    },
  }
}
