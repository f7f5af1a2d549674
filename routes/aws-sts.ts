import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { VendError } from '../src/errors.ts'
import type { App } from '../src/http/fastify.ts'
import { readPairs } from '../src/http/pairs.ts'
import { BESIDE_TOKEN_BYTES, knownError } from '../src/http/server.ts'
import { MAX_TOKEN_BYTES } from '../src/identity/token.ts'
import { inTermsOfPolicy, restrictionOfAws } from '../src/policy/grant/aws-session-policy.ts'
import { ANSWERS } from './aws-sts-answers.ts'
import { FORM, faultOf } from './aws-sts-faults.ts'
import { assumedRoleXml, errorXml } from './aws-sts-xml.ts'
import type { Services } from './services.ts'
import { expirationOf, logVended, namingPolicy, sendBytes, sentenceOf } from './vended.ts'

/** `maxTokenBytes` is for the API description alone: a longer token is refused like any other bad one. */
const formOf = (maxTokenBytes: number) =>
  z
    .strictObject({
      Action: z.literal('AssumeRoleWithWebIdentity', 'is not an action of this service').describe('The only action.'),
      Version: z.literal('2011-06-15', 'is not a version of this service').describe('The only version.'),
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
      WebIdentityToken: z
        .string('is required')
        .min(4)
        .max(MAX_TOKEN_BYTES.most)
        .meta({ maxLength: maxTokenBytes })
        .describe("The caller's token."),
      DurationSeconds: z
        .string()
        // No pattern: the API description calls it a number, as forms have it.
        .refine((text) => /^\d{1,5}$/u.test(text), 'must be a whole number')
        .transform(Number)
        .pipe(z.int().min(900).max(43_200))
        .optional()
        .meta({ type: 'integer', minimum: 900, maximum: 43_200 })
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
    .meta({
      title: 'AssumeRoleWithWebIdentity',
      description: 'The form that AWS SDKs send to STS.',
      examples: [
        {
          Action: 'AssumeRoleWithWebIdentity',
          Version: '2011-06-15',
          RoleArn: 'arn:aws:iam::000000000000:role/user-upload',
          RoleSessionName: 'nightly-build',
          WebIdentityToken: 'example.token.of-the-caller',
        },
      ],
    })

/** `POST /v1/aws/sts`, also at `/` where `atRoot`: AssumeRoleWithWebIdentity as SDKs ask it of AWS's STS. */
export async function awsStsRoutes(
  app: App,
  { authenticate, vending, ossOf, now }: Services & Readonly<{ now: () => number }>,
  { atRoot, maxTokenBytes }: Readonly<{ atRoot: boolean; maxTokenBytes: number }>,
): Promise<void> {
  const answerError = createErrors(now)
  const form = formOf(maxTokenBytes)
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
        bodyLimit: maxTokenBytes + BESIDE_TOKEN_BYTES,
        schema: {
          hide,
          operationId: 'assumeRoleWithWebIdentity',
          summary: 'Give credentials to an AWS SDK that is configured for web identity',
          description:
            'For `AWS_ENDPOINT_URL_STS` with `AWS_ROLE_ARN` and `AWS_WEB_IDENTITY_TOKEN_FILE`. The token is in the form, and the header `Authorization` is not read. No other action is known.',
          tags: ['aws'],
          security: [],
          consumes: [FORM],
          body: form,
          response: ANSWERS,
        },
        errorHandler: answerError,
        config: { vends: true },
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
