import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { type ErrorCode, VendError } from '../src/errors.ts'
import type { App } from '../src/http/fastify.ts'
import { readPairs } from '../src/http/pairs.ts'
import { BESIDE_TOKEN_BYTES, knownError } from '../src/http/server.ts'
import { MAX_TOKEN_BYTES, readToken } from '../src/identity/token.ts'
import { inTermsOfPolicy, restrictionOfAws } from '../src/policy/grant/aws-session-policy.ts'
import { assumedRoleXml, errorXml } from './aws-sts-xml.ts'
import type { Services } from './services.ts'
import { expirationOf, logVended, namingPolicy, sendBytes, sentenceOf } from './vended.ts'

const FORM = 'application/x-www-form-urlencoded'
const formSchema = z
  .strictObject({
    Action: z.literal('AssumeRoleWithWebIdentity', 'is not an action of this service'),
    Version: z.literal('2011-06-15', 'is not a version of this service'),
    RoleArn: z
      .string('is required')
      .min(20)
      .max(2048)
      .regex(
        /^(?:arn|jrn)(?::[\w-]*){3,4}:role\/(?:[\w+=,@-][\w+=,.@-]*\/)*[a-z0-9][a-z0-9-]{0,31}$/u,
        'does not end in a policy',
      )
      .describe('Its last part names the policy: arn:aws:iam::000000000000:role/user-upload.'),
    RoleSessionName: z
      .string('is required')
      .regex(/^[\w+=,.@-]{2,64}$/u, 'must be 2 to 64 letters, digits and _+=,.@-')
      .describe("Follows the caller's own name in the operation audit of JD Cloud, unless an SDK made it up."),
    WebIdentityToken: z.string('is required').min(4).max(MAX_TOKEN_BYTES.most).describe("The caller's token."),
    DurationSeconds: z
      .string()
      .regex(/^\d{1,5}$/u, 'must be a whole number')
      .transform(Number)
      .pipe(z.int().min(900).max(43_200))
      .optional()
      .describe(
        "Length of the session, from 900 to the policy's, which is the default. JD Cloud has none under 3600: less gives 3600.",
      ),
    Policy: z
      .string()
      .min(1)
      .max(2048)
      .optional()
      .describe(
        'A session policy of one statement, which leaves less of the policy: Effect Allow, Action, and one Resource, * or a prefix such as arn:aws:s3:::test-app/users/alice/*. Any other is refused.',
      ),
  })
  .meta({ title: 'AssumeRoleWithWebIdentity' })

/** `POST /v1/aws/sts`, also at `/` where `atRoot`: AssumeRoleWithWebIdentity as SDKs ask it of AWS's STS. */
export async function awsStsRoutes(
  app: App,
  { authenticate, vending, ossOf, now }: Services & Readonly<{ now: () => number }>,
  { atRoot, maxTokenBytes }: Readonly<{ atRoot: boolean; maxTokenBytes: number }>,
): Promise<void> {
  const answerError = createErrors(now)
  // Apart from the others, which read JSON alone.
  await app.register(async (sts: App) => {
    sts.removeAllContentTypeParsers()
    sts.addContentTypeParser<Buffer>(FORM, { parseAs: 'buffer' }, async (_request: FastifyRequest, bytes: Buffer) =>
      Object.fromEntries(readPairs(bytes.toString('latin1'))),
    )
    const route = (url: string, hide: boolean) =>
      sts.route({
        method: 'POST',
        url,
        config: { decision: true },
        bodyLimit: maxTokenBytes + BESIDE_TOKEN_BYTES,
        schema: {
          hide,
          operationId: 'assumeRoleWithWebIdentity',
          summary: 'Give credentials to an AWS SDK that is configured for web identity',
          description:
            'For AWS_ENDPOINT_URL_STS with AWS_ROLE_ARN and AWS_WEB_IDENTITY_TOKEN_FILE. No other action is known.',
          tags: ['aws'],
          security: [],
          consumes: [FORM],
          body: formSchema,
          response: Object.fromEntries(
            Object.entries(ANSWERS).map(([status, description]) => [
              status,
              { description, content: { 'text/xml': { schema: z.string() } } },
            ]),
          ),
        },
        errorHandler: answerError,
        handler: async (request, reply) => {
          reply.header('x-amzn-requestid', request.id)
          if (request.url.includes('?')) throw new VendError('invalid_request', { detail: 'a query is not read here' })
          const { RoleArn, RoleSessionName, WebIdentityToken, DurationSeconds: asked, Policy } = request.body
          // SDKs send the file as it is, some with its line end.
          const caller = await authenticate(request, WebIdentityToken.trim())
          request.caller = caller
          const policy = RoleArn.slice(RoleArn.lastIndexOf('/') + 1)
          const vended = await namingPolicy(request, { policy }, () =>
            vending.vend(caller, {
              policy,
              durationSeconds: asked,
              // Users who want 900 seconds are not harmed by more.
              orShortest: true,
              sessionLabel: MADE_UP.test(RoleSessionName) ? undefined : RoleSessionName,
              restrictTo: Policy === undefined ? undefined : restrictionOfAws(Policy),
            }),
          )
          const expiration = expirationOf(vended.session.expiresAt)
          const { roleSessionName } = vended.grant
          const { accessKey, secretKey, sessionToken } = vended.session
          logVended(request, reply, vended, expiration, 'sts')
          const xml = assumedRoleXml({
            account: ossOf(vended.grant).account,
            policy,
            roleSessionName,
            subject: caller.subject,
            credentials: { accessKey, secretKey, sessionToken, expiration },
            requestId: request.id,
          })
          return sendBytes(reply, 'text/xml', xml)
        },
      })
    route('/v1/aws/sts', false)
    // SDKs put a slash behind the path of an endpoint.
    route('/v1/aws/sts/', true)
    if (atRoot) route('/', true)
  })
}

/**
 * Names that SDKs make of the time of day: `botocore-session-1767225600`, `aws-sdk-java-1767225600000`, or digits alone.
 * They tell an audit nothing, and would make each start of a program, and each refresh, a session of its own.
 */
const MADE_UP =
  /^(?:(?:botocore-session|aws-sdk-[a-z]+(?:-session)?|aws-dotnet-sdk-session|web-identity-token)-)?\d{10,20}$/u

/** `message` where the common one speaks of another dialect. */
type Fault = Readonly<{ status: number; code: string; message?: string }>

/** How STS says what this service means. */
const FAULTS: Readonly<Record<ErrorCode, Fault>> = {
  unauthenticated: { status: 400, code: 'InvalidIdentityToken', message: 'The token is not valid' },
  policy_not_allowed: { status: 403, code: 'AccessDenied' },
  key_not_allowed: { status: 403, code: 'AccessDenied' },
  policy_not_found: { status: 403, code: 'AccessDenied' },
  not_found: { status: 404, code: 'InvalidAction' },
  invalid_request: { status: 400, code: 'ValidationError' },
  payload_too_large: { status: 400, code: 'ValidationError' },
  unsupported_media_type: { status: 400, code: 'ValidationError', message: `The request body must be ${FORM}` },
  unsafe_value: { status: 403, code: 'IDPRejectedClaim' },
  policy_too_large: { status: 400, code: 'PackedPolicyTooLarge' },
  rate_limited: { status: 400, code: 'Throttling' },
  internal_error: { status: 500, code: 'InternalFailure' },
  upstream_denied: { status: 500, code: 'InternalFailure' },
  upstream_unavailable: { status: 503, code: 'ServiceUnavailable' },
  not_ready: { status: 503, code: 'ServiceUnavailable' },
  overloaded: { status: 503, code: 'ServiceUnavailable' },
  upstream_timeout: { status: 503, code: 'ServiceUnavailable' },
}
const EXPIRED: Fault = { status: 400, code: 'ExpiredTokenException', message: 'The token is expired' }
/** And what it says of some fields. A policy that is not understood is refused, never left out: the session would open too much. */
const FIELD_FAULTS: readonly (readonly [field: RegExp, code: string])[] = [
  [/^\/Action$/u, 'InvalidAction'],
  [/^\/Version$/u, 'NoSuchVersion'],
  [/^\/Policy/u, 'MalformedPolicyDocument'],
]

const ANSWERS = {
  200: 'Credentials',
  400: '`ValidationError`, `InvalidAction`, `InvalidIdentityToken`, `ExpiredTokenException`, `MalformedPolicyDocument` (a `Policy` that has no meaning here, or is wider than the policy), `PackedPolicyTooLarge`, `Throttling`',
  403: '`AccessDenied`: the policy is not for this caller. `IDPRejectedClaim`: a claim must not enter a policy',
  500: '`InternalFailure`: ask the operator',
  503: '`ServiceUnavailable`: wait for Retry-After',
} as const

function createErrors(now: () => number) {
  return (error: unknown, request: FastifyRequest, reply: FastifyReply) => {
    const known = inTermsOfPolicy(knownError(error, request, reply))
    const { status, code, message: title } = faultOf(known, request.body, now())
    // A challenge for a header that this route does not read.
    reply.removeHeader('www-authenticate')
    reply.header('x-amzn-requestid', request.id)
    return sendBytes(
      reply.code(status),
      'text/xml',
      errorXml({ sender: status < 500, code, message: sentenceOf(known, request.id, title), requestId: request.id }),
    )
  }
}

function faultOf(error: VendError, body: unknown, now: number): Fault {
  const fault = FAULTS[error.code]
  if (error.code === 'unauthenticated') return isOver(body, now) ? EXPIRED : fault
  if (error.code !== 'invalid_request') return fault
  const pointers = error.errors?.map(({ pointer }) => pointer) ?? []
  const [, code = fault.code] = FIELD_FAULTS.find(([field]) => pointers.some((pointer) => field.test(pointer))) ?? []
  return { ...fault, code }
}

/**
 * Whether a token says of itself that it is over, which its sender can read there, too: nothing is told of what was
 * checked. SDKs try again with a token that is only not valid.
 */
function isOver(body: unknown, now: number): boolean {
  const { data } = z.looseObject({ WebIdentityToken: z.string() }).safeParse(body)
  const exp = readToken(data?.WebIdentityToken.trim() ?? '')?.payload.exp
  return typeof exp === 'number' && exp * 1000 <= now
}
