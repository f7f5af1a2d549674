import Builder from 'fast-xml-builder'

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
