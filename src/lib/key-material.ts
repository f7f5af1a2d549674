import { unzipSync } from 'node:zlib'

/** Headers of PEM, RFC 4716 and PGP, with and without dashes; OpenSSH, PuTTY, OpenSSL; XML of .NET and of SAML. */
const KEY_TEXTS = [
  /-{4,5} ?(?:BEGIN|END) [A-Z0-9 ]+-{4,5}/iu,
  /\bBEGIN[\s_+-]+(?:[A-Z0-9]+[\s_+-]+){0,2}(?:(?:PUBLIC|PRIVATE)[\s_+-]+KEY|CERTIFICATE)/iu,
  /\b(?:ssh-(?:rsa|dss|ed25519|ed448)|ecdsa-sha2-nistp\d+|sk-(?:ssh|ecdsa)-[\w@.-]+)\s+AAAA/u,
  /^PuTTY-User-Key-File/u,
  /\bPublic-Key: \(\d+ bit\)/u,
  /\bModulus\s*(?:\(\d+ bit\)\s*)?[=:]/iu,
  /<(?:\w+:)?(?:RSAKeyValue|ECKeyValue|Modulus|X509\w+)>/iu,
  /\bdid:(?:key|jwk):/u,
  // Fingerprints and thumbprints are as public as their keys.
  /\bSHA-?(?:1|256|384|512)(?: Fingerprint)?[:=] ?(?:[A-F\d]{2}:?){20,}/iu,
  /\bSHA-?(?:1|256|384|512):[\w+/-]{27,}/iu,
  /\bMD5(?: Fingerprint)?[:=] ?(?:[A-F\d]{2}:?){16}/iu,
  /\bjwk-thumbprint:/u,
]

/** Members of a JSON Web Key, with any signs around them: JSON without its braces, YAML, TOML, XML, a query. */
const JWK_TEXTS = [
  /\bkty\b[\s"'=:>,]{1,8}(?:RSA|EC|OKP|AKP|oct)\b/u,
  /\bcrv\b[\s"'=:>,]{1,8}(?:P-\d{3}|Ed25519|Ed448|X25519|X448|secp256k1)\b/u,
  /\be\b[\s"'=:>,]{1,8}AQAB\b/u,
  /\bx5c\b[\s"'=:>,[]{1,8}MII/u,
]

/** What encoded keys hold, long enough never to stand in random bytes: identifiers in DER, and names of OpenSSH. */
const KEY_BYTES = [
  '2a864886f70d0101', // PKCS #1, with its signatures
  '06072a8648ce3d0201', // keys on curves
  '06082a8648ce3d0301', // NIST's curves
  '06052b810400', // more of them
  '300506032b65', // X25519 to Ed448
].map((hex) => Buffer.from(hex, 'hex'))

const SSH_NAMES = /openssh-key-v1|\0\0\0.(?:ssh-|ecdsa-|sk-)/su

/** DER of RSA keys alone: a sequence of long integers, behind a version where it is private. */
const RSA_DER = /^30(?:82....|81..)(?:020100)?02(?:82....|81..)/u
/** The same anywhere, with a modulus of a usual length: 1024, 1536, 2048, 3072 or 4096 bits. */
const RSA_DER_WITHIN = /30(?:82....|81..)(?:020100)?02(?:82(?:0101|0181|0201)|81(?:81|c1))00/u

const MAX_UNPACKED_BYTES = 1_000_000

/** The kind of key that a decoded text contains, if any. */
export function keyText(text: string): 'key' | 'jwk' | undefined {
  if (KEY_TEXTS.some((pattern) => pattern.test(text))) return 'key'
  return JWK_TEXTS.some((pattern) => pattern.test(text)) ? 'jwk' : undefined
}

/** Whether these bytes are a key, or have one in them. */
export function isKey(bytes: Buffer): boolean {
  if (RSA_DER.test(bytes.subarray(0, 32).toString('hex')) || RSA_DER_WITHIN.test(bytes.toString('hex'))) return true
  return SSH_NAMES.test(bytes.toString('latin1')) || KEY_BYTES.some((identifier) => bytes.includes(identifier))
}

/**
 * A text without the escapes of URLs, JSON, C and XML, however often it was escaped. Bytes that are no ASCII become one
 * character each.
 */
export function unescaped(text: string): string {
  let now = text
  for (let round = 0; round < 4; round++) {
    const before = now
    now = now
      .replace(/%([\da-f]{2})|\\u00([\da-f]{2})|\\x([\da-f]{2})|&#x([\da-f]{2});/giu, (_all, ...hex: unknown[]) =>
        String.fromCharCode(Number.parseInt(hex.filter((one) => typeof one === 'string')[0] ?? '', 16)),
      )
      .replace(/&#(\d{2,3});/gu, (_all, code: string) => String.fromCharCode(Number(code)))
      .replace(/&quot;/gu, '"')
      .replace(/\\[nrt]/gu, '\n')
      .replace(/\\(["'/\\\n])/gu, '$1')
    if (now === before) break
  }
  return now
}

/**
 * What hex and base64 in a text stand for. A run may have letters in front that belong to neither (`key_MIIB`), so that
 * base64 is read from each of four places, and hex from two.
 */
export function decodings(text: string): Buffer[] {
  const compact = text.replace(/[\s\\]/gu, '')
  const hex = text.replace(/0x|[\s\\:,-]/giu, '')
  const all = [
    ...runs([text, compact, hex], /[\da-f]{24,}/giu).flatMap((run) => [0, 1].map((at) => fromHex(run.slice(at)))),
    ...runs([text, compact, compact.replaceAll(':', '')], /[\w+/-]{24,}/gu).flatMap((run) =>
      [0, 1, 2, 3].map((at) => Buffer.from(run.slice(at), 'base64')),
    ),
  ]
  return all.flatMap(unpacked)
}

const runs = (texts: readonly string[], pattern: RegExp) => [
  ...new Set(texts.flatMap((text) => text.match(pattern) ?? [])),
]

const fromHex = (run: string) => Buffer.from(run.slice(0, run.length - (run.length % 2)), 'hex')

/** The bytes, and what they are gzip, zlib or UTF-16 of. */
function unpacked(bytes: Buffer): Buffer[] {
  const all = [bytes]
  if (bytes.includes(0)) all.push(Buffer.from(bytes.filter((byte) => byte !== 0)))
  const magic = bytes.length > 2 ? bytes.readUInt16BE(0) : 0
  if (magic === 0x1f8b || (magic >> 8 === 0x78 && magic % 31 === 0)) {
    try {
      all.push(unzipSync(bytes, { maxOutputLength: MAX_UNPACKED_BYTES }))
    } catch {
      // Random bytes may begin like this.
    }
  }
  return all
}
