import { type KeyObject, sign } from 'node:crypto'

type Pair = Readonly<{ publicKey: KeyObject; privateKey: KeyObject }>
type Options = Readonly<{ name?: string; from?: Date; until?: Date }>

const DAY_MS = 86_400_000

/** A certificate that the key of an RSA pair signs for itself, as PEM. Node can read them, and cannot make them. */
export function certificateOf(
  { publicKey, privateKey }: Pair,
  { name = 'localhost', from = new Date(Date.now() - DAY_MS), until = new Date(Date.now() + DAY_MS) }: Options = {},
): string {
  const sha256WithRsa = sequence(hex('06092a864886f70d01010b'), hex('0500'))
  const subject = sequence(der(0x31, sequence(hex('0603550403'), der(0x0c, Buffer.from(name)))))
  const alternative = sequence(hex('0603551d11'), der(0x04, sequence(der(0x82, Buffer.from(name)))))
  const body = sequence(
    hex('a003020102'),
    hex('020101'),
    sha256WithRsa,
    subject,
    sequence(time(from), time(until)),
    subject,
    publicKey.export({ type: 'spki', format: 'der' }),
    der(0xa3, sequence(alternative)),
  )
  const signature = der(0x03, Buffer.concat([hex('00'), sign('sha256', body, privateKey)]))
  const base64 = sequence(body, sha256WithRsa, signature).toString('base64')
  return `-----BEGIN CERTIFICATE-----\n${base64.replace(/.{64}/gu, '$&\n')}\n-----END CERTIFICATE-----\n`
}

const hex = (text: string) => Buffer.from(text, 'hex')
const sequence = (...parts: Buffer[]) => der(0x30, Buffer.concat(parts))

/** GeneralizedTime, RFC 5280 §4.1.2.5.2. */
const time = (date: Date) => der(0x18, Buffer.from(`${date.toISOString().replace(/\D/gu, '').slice(0, 14)}Z`))

function der(tag: number, content: Buffer): Buffer {
  const { length } = content
  const size = length < 128 ? [length] : length < 256 ? [0x81, length] : [0x82, length >> 8, length & 255]
  return Buffer.concat([Buffer.from([tag, ...size]), content])
}
