// The X.509 library needs this polyfill before it loads.
import 'reflect-metadata'
import { randomBytes, webcrypto } from 'node:crypto'
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509CertificateGenerator,
} from '@peculiar/x509'

/** A certificate of a server with its key, and the certificate of the CA that signed it, all as PEM. */
export type ServerCertificate = Readonly<{ ca: string; cert: string; key: string }>

const KEY = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' }
const HOUR_MS = 3_600_000
/** Long enough for a sandbox that runs for some days, too short to be worth stealing. */
const LIFE_MS = 7 * 24 * HOUR_MS

/**
 * Makes a CA and a certificate for this machine's loopback names. The key of the CA is forgotten at once, so the CA
 * can sign nothing else, even for someone who trusts it. `now` is the true time, because clients compare with it.
 */
export async function makeServerCertificate(now: number): Promise<ServerCertificate> {
  // The hour is for clients with a slow clock, such as containers.
  const validity = { notBefore: new Date(now - HOUR_MS), notAfter: new Date(now + LIFE_MS) }
  const [caKeys, keys] = await Promise.all([makeKeys(), makeKeys()])
  const ca = await X509CertificateGenerator.createSelfSigned({
    ...validity,
    serialNumber: makeSerialNumber(),
    name: 'CN=oss-vend sandbox CA',
    keys: caKeys,
    signingAlgorithm: KEY,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign, true),
      await SubjectKeyIdentifierExtension.create(caKeys.publicKey),
    ],
  })
  const cert = await X509CertificateGenerator.create({
    ...validity,
    serialNumber: makeSerialNumber(),
    subject: 'CN=oss-vend sandbox',
    issuer: ca.subject,
    publicKey: keys.publicKey,
    signingKey: caKeys.privateKey,
    signingAlgorithm: KEY,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension([
        { type: 'ip', value: '127.0.0.1' },
        { type: 'ip', value: '::1' },
        { type: 'dns', value: 'localhost' },
      ]),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(caKeys.publicKey),
    ],
  })
  const pkcs8 = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey))
  const key = `-----BEGIN PRIVATE KEY-----\n${pkcs8.toString('base64')}\n-----END PRIVATE KEY-----\n`
  return { ca: `${ca.toString('pem')}\n`, cert: `${cert.toString('pem')}\n`, key }
}

function makeKeys() {
  return webcrypto.subtle.generateKey(KEY, true, ['sign', 'verify'])
}

/** Positive, as RFC 5280 demands. */
function makeSerialNumber(): string {
  return `01${randomBytes(15).toString('hex')}`
}
