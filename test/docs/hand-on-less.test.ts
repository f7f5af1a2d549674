import { readFileSync } from 'node:fs'
import t from 'tap'
import { z } from 'zod'
import { build } from '../helpers/build.ts'
import { fencedBlocks } from '../helpers/markdown.ts'
import { claims, mint } from '../helpers/tokens.ts'

const page = readFileSync('docs/clients.md', 'utf8')
const blocks = fencedBlocks(page).filter(({ under }) => under === 'hand-on-less-than-you-have')
const bearer = { authorization: `Bearer ${mint(claims())}` }

t.test('every way to hand on less asks STS for the same, and answers as the page says', async (t) => {
  const { app, asked } = await build(t)
  const [curl, answer, policy] = blocks.map(({ text }) => text)
  const [, url = '', payload = ''] = /https:\/\/vend\.example\.com(\S+).*-d '([^']*)'/su.exec(curl ?? '') ?? []
  const headers = { ...bearer, 'content-type': 'application/json' }
  const told = await app.inject({ method: 'POST', url, headers, payload })
  const shown = z.looseObject({ oss: z.unknown(), grant: z.unknown() }).parse(JSON.parse(answer ?? ''))
  t.strictSame(told.json().grant, shown.grant)
  t.match(told.json().oss, shown.oss)

  const [, query = ''] = /…\/(user-upload\?\S+)`/u.exec(page.slice(page.indexOf('## Hand on less'))) ?? []
  const container = { url: `/v1/aws/container-credentials/${query.replace(',oss:AbortMultipartUpload', '')}` }
  t.equal((await app.inject({ ...container, headers: bearer })).statusCode, 200)

  const form = {
    Action: 'AssumeRoleWithWebIdentity',
    Version: '2011-06-15',
    RoleArn: 'arn:aws:iam::000000000000:role/user-upload',
    RoleSessionName: 'botocore-session-1767225600',
    WebIdentityToken: mint(claims()),
    Policy: policy ?? '',
  }
  const assumed = await app.inject({
    method: 'POST',
    url: '/v1/aws/sts',
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    payload: new URLSearchParams(form).toString(),
  })
  t.equal(assumed.statusCode, 200)
  t.equal(asked.length, 1, 'the three found one session')
})
