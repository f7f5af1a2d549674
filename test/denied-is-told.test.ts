import { Registry } from 'prom-client'
import t from 'tap'
import { everyRoute, tokenOf, tokenOfPartner, twoIssuers } from './denylist/harness.ts'
import { build } from './helpers/build.ts'
import { collector } from './helpers/collector.ts'
import { metric } from './helpers/vending.ts'

const SUBJECT_KEY = Buffer.from(Array.from({ length: 32 }, (_, i) => 19 * i ** 2 + i)).toString('base64')
const REASON = 'phone stolen in the tram'
const DENY = JSON.stringify({
  subjects: [{ subject: 'mallory', issuer: 'app', reason: REASON }],
  issuers: [{ issuer: 'partner', reason: REASON }],
  tokenIds: [{ tokenId: 'leaked', issuer: 'app', reason: REASON }],
})

t.test(
  'a denied caller is told once each to audit, metrics and trace, and to itself only that it is denied',
  async (t) => {
    const rows = [
      { by: 'subject', token: tokenOf('mallory'), code: 'caller_denied', issuer: 'app', reason: undefined },
      { by: 'issuer', token: tokenOfPartner('dave'), code: 'caller_denied', issuer: 'partner', reason: undefined },
      { by: 'token', token: tokenOf('mia', 'leaked'), code: 'unauthenticated', issuer: 'app', reason: 'revoked' },
    ]
    for (const { by, token, code, issuer, reason } of rows) {
      t.test(by, async (t) => {
        const metrics = new Registry()
        const to = await collector(t)
        const { app, audit } = await build(t, {
          env: {
            ...twoIssuers(t, DENY),
            ...{ OTEL_EXPORTER_OTLP_ENDPOINT: to.url, AUDIT_SUBJECT: 'hmac', AUDIT_SUBJECT_KEY: SUBJECT_KEY },
            AWS_STS_AT_ROOT: 'true',
          },
          dependencies: { metrics },
        })
        const { policies, explain, ...vends } = everyRoute(token)
        const root = { ...vends.sts, url: '/' }
        const asked = [...Object.values(vends), root]
        const answers = await Promise.all(asked.map((ask) => app.inject(ask)))
        await app.inject(policies)
        await app.inject(explain)
        await app.close()

        for (const { statusCode, body } of answers) {
          t.ok(statusCode >= 400 && statusCode < 404, body)
          t.notMatch(body, /subject|issuer|partner|mallory|revoked|denylist|tram/iu)
        }
        const events = audit.decisions()
        t.equal(events.length, asked.length)
        t.strictSame(new Set(events.map((one) => ('code' in one ? one.code : one.outcome))), new Set([code]))
        for (const event of events) t.match(event, { outcome: 'refused', issuer, subject: /^hmac:/u, reason })
        t.equal(new Set(events.map(({ subject }) => subject)).size, 1, 'one pseudonym')
        t.notMatch(audit.text(), /mallory|dave|"mia"|tram/u)

        t.equal(await metric(metrics, 'oss_vend_vends_total', { policy: 'unknown', outcome: code }), asked.length)
        t.equal(await metric(metrics, 'oss_vend_vends_total'), asked.length)
        t.equal(await metric(metrics, 'oss_vend_audit_events_total', { outcome: 'refused' }), asked.length)
        t.equal(await metric(metrics, 'oss_vend_denied_total', { by }), asked.length + 2)
        t.equal(await metric(metrics, 'oss_vend_denied_total'), asked.length + 2)
        const requests = to.spans().filter(({ kind }) => kind === 2)
        t.equal(requests.length, asked.length + 2)
        for (const { attributes } of requests) t.equal(attributes['error.type'], code)
        t.notMatch(to.text(), /mallory|dave|"mia"|tram|leaked/u)
      })
    }
  },
)
