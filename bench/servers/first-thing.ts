import jwt from '@fastify/jwt'
import fastify from 'fastify'
import { z } from 'zod'
import { loadSdk, officialSts } from '../lib/official-sdk.ts'
import { AUDIENCE, ISSUER } from '../lib/tokens.ts'

/** The first version that a team would write: check the token, call AssumeRole with the official SDK, return its answer. */
const optionsSchema = z.object({ port: z.int(), secret: z.string(), stsUrl: z.string() })
const { port, secret, stsUrl } = optionsSchema.parse(JSON.parse(process.argv[2] ?? ''))

const sts = officialSts(loadSdk(), stsUrl)
const app = fastify({ logger: true })
await app.register(jwt, { secret, verify: { algorithms: ['HS256'], allowedIss: ISSUER, allowedAud: AUDIENCE } })

app.get('/readyz', async () => ({ status: 'ready' }))
app.post('/v1/credentials', async (request) => {
  const { sub } = await request.jwtVerify<{ sub: string }>()
  const policy = JSON.stringify({
    Version: '3',
    Statement: [
      {
        Effect: 'Allow',
        Action: ['oss:PutObject', 'oss:AbortMultipartUpload'],
        Resource: [`jrn:oss:*:111111111111:test-app/users/${sub}/*`],
      },
    ],
  })
  const { result } = await sts.assumeRole({
    assumeRoleInfo: {
      roleJrn: 'jrn:iam::111111111111:role/test-role',
      roleSessionName: `user-upload@${sub}`,
      policy,
      durationSeconds: 3600,
    },
  })
  return result.credentials
})
await app.listen({ host: '127.0.0.1', port })
