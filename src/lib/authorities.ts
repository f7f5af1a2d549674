import { X509Certificate } from 'node:crypto'
import * as tls from 'node:tls'

/** The certificates of a PEM bundle; undefined when it has none, or one that cannot be read. */
export function readCertificates(bundle: string): readonly string[] | undefined {
  const certificates = bundle.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/gu) ?? []
  const begun = bundle.match(/-----BEGIN [A-Z ]*CERTIFICATE-----/gu) ?? []
  try {
    for (const certificate of certificates) new X509Certificate(certificate)
  } catch {
    return undefined
  }
  return certificates.length > 0 && certificates.length === begun.length ? certificates : undefined
}

/** A TLS context that trusts these certificates and the roots that Node trusts. Made once: it reads a hundred roots. */
export const trusting = (certificates: readonly string[]): tls.SecureContext =>
  tls.createSecureContext({ ca: [...rootsOfNode(), ...certificates] })

/** `tls.rootCertificates` has only the roots that Node ships. Newer versions also tell those of the system, if set. */
export function rootsOfNode(): readonly string[] {
  const tell: unknown = Reflect.get(tls, 'getCACertificates')
  const told: unknown = typeof tell === 'function' ? tell('default') : undefined
  return Array.isArray(told) ? told.map(String) : tls.rootCertificates
}
