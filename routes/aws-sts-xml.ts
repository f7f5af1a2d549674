import Builder from 'fast-xml-builder'
import { z } from 'zod'

const NAMESPACE = 'https://sts.amazonaws.com/doc/2011-06-15/'

/** Everything of an answer to AssumeRoleWithWebIdentity that a client may look at. */
export type AssumedRole = Readonly<{
  account: string
  policy: string
  roleSessionName: string
  subject: string
  credentials: Readonly<{ accessKey: string; secretKey: string; sessionToken: string; expiration: string }>
  requestId: string
}>

/** The answer to AssumeRoleWithWebIdentity. */
export function assumedRoleXml({ account, policy, roleSessionName, subject, credentials, requestId }: AssumedRole) {
  return toXml('AssumeRoleWithWebIdentityResponse', {
    AssumeRoleWithWebIdentityResult: {
      Credentials: {
        AccessKeyId: credentials.accessKey,
        SecretAccessKey: credentials.secretKey,
        SessionToken: credentials.sessionToken,
        Expiration: credentials.expiration,
      },
      SubjectFromWebIdentityToken: subject,
      AssumedRoleUser: {
        Arn: `arn:aws:sts::${account}:assumed-role/${policy}/${roleSessionName}`,
        AssumedRoleId: `${policy}:${roleSessionName}`,
      },
    },
    ResponseMetadata: { RequestId: requestId },
  })
}

/** A refusal as STS writes it. */
export function errorXml(fault: Readonly<{ sender: boolean; code: string; message: string; requestId: string }>) {
  const Type = fault.sender ? 'Sender' : 'Receiver'
  return toXml('ErrorResponse', {
    Error: { Type, Code: fault.code, Message: fault.message },
    RequestId: fault.requestId,
  })
}

const rootOf = (name: string) => ({ title: name, xml: { name, namespace: NAMESPACE } })

/** The elements of {@link assumedRoleXml}, for the API description. */
export const assumedRoleSchema = z
  .strictObject({
    AssumeRoleWithWebIdentityResult: z
      .strictObject({
        Credentials: z
          .strictObject({
            AccessKeyId: z.string().describe('Access key ID of the session.'),
            SecretAccessKey: z.string().describe('Secret key of the session.'),
            SessionToken: z.string().describe('Token of the session.'),
            Expiration: z.string().meta({ format: 'date-time' }).describe('When they expire: RFC 3339, UTC.'),
          })
          .describe('A secret.'),
        SubjectFromWebIdentityToken: z.string().describe('The subject of the token.'),
        AssumedRoleUser: z
          .strictObject({
            Arn: z.string().describe('The policy and the name of the session, in the form of an ARN.'),
            AssumedRoleId: z.string().describe('The policy and the name of the session.'),
          })
          .describe('The session.'),
      })
      .describe('The session and its credentials.'),
    ResponseMetadata: z
      .strictObject({ RequestId: z.string().describe('The same as the header `x-request-id`.') })
      .describe('The request.'),
  })
  .meta({ ...rootOf('AssumeRoleWithWebIdentityResponse'), description: 'Credentials as STS of AWS writes them.' })

/** The elements of {@link errorXml}. */
export const errorSchema = z
  .strictObject({
    Error: z
      .strictObject({
        Type: z.enum(['Sender', 'Receiver']).describe('Whether the client or the service is at fault.'),
        Code: z.string().describe('What clients decide by.'),
        Message: z.string().describe('The refusal in one sentence.'),
      })
      .describe('The refusal.'),
    RequestId: z.string().describe('The same as the header `x-request-id`.'),
  })
  .meta({ ...rootOf('ErrorResponse'), description: 'A refusal as STS of AWS writes it.' })

type Elements = { readonly [element: string]: string | Elements }

function toXml(root: string, content: Elements): string {
  const builder = new Builder({ ignoreAttributes: false })
  return `${builder.build({ [root]: { '@_xmlns': NAMESPACE, ...withoutControls(content) } })}\n`
}

/** A subject may have characters that XML has no way to write; one of them would make the whole unreadable. */
function withoutControls(content: Elements): Elements {
  const clean = Object.entries(content).map(([name, value]) => [
    name,
    typeof value === 'string' ? value.replace(NOT_XML, '\ufffd') : withoutControls(value),
  ])
  return Object.fromEntries(clean)
}

/** XML's line ends among them, since readers change them. */
const NOT_XML = /[^\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu
