import { of, perSecond, quantile, type Row } from './panel.ts'

const REQUESTS = 'oss_vend_http_request_seconds'
const all = perSecond('', `${REQUESTS}_count`)
const part = (...labels: string[]) => `${perSecond('', `${REQUESTS}_count`, ...labels)} / ${all}`

/** The rows about everything that callers notice. */
export const serviceRows: readonly Row[] = [
  {
    title: 'At a glance',
    panels: [
      { title: 'Replicas that are ready', unit: 'short', stat: true, queries: [[`sum(${of('oss_vend_ready')})`, '']] },
      {
        title: 'Alerts that fire',
        unit: 'short',
        stat: true,
        queries: [['count(ALERTS{alertname=~"OssVend.+",alertstate="firing"}) or vector(0)', '']],
      },
      { title: 'Requests that fail (5xx)', unit: 'percentunit', stat: true, queries: [[part('status=~"5.."'), '']] },
      {
        title: '95 % of the vends take at most',
        unit: 's',
        stat: true,
        queries: [[quantile(0.95, '', REQUESTS, 'route="/v1/credentials"'), '']],
      },
      {
        title: 'Breakers that are open',
        unit: 'short',
        stat: true,
        queries: [[`sum(${of('oss_vend_sts_breaker_state', 'state="open"')})`, '']],
      },
      {
        title: 'Sets of templates',
        unit: 'short',
        about: 'More than one lasts only as long as a rollout.',
        stat: true,
        queries: [[`count(count by (version) (${of('oss_vend_policies_info')}))`, '']],
      },
    ],
  },
  {
    title: 'Traffic',
    panels: [
      {
        title: 'Requests by route',
        unit: 'reqps',
        queries: [[perSecond('route', `${REQUESTS}_count`), '{{route}}']],
      },
      {
        title: 'Vends by template',
        unit: 'reqps',
        queries: [[perSecond('policy', 'oss_vend_vends_total', 'outcome="issued"'), '{{policy}}']],
      },
      {
        title: 'Vends that are running',
        unit: 'short',
        about: 'The autoscaler adds replicas when the average is over 16.',
        queries: [[of('oss_vend_vends_running'), '{{instance}}']],
      },
    ],
  },
  {
    title: 'Errors',
    panels: [
      {
        title: 'Refused vends by code',
        unit: 'reqps',
        queries: [[perSecond('outcome', 'oss_vend_vends_total', 'outcome!="issued"'), '{{outcome}}']],
      },
      {
        title: 'Share of requests that fail',
        unit: 'percentunit',
        queries: [
          [part('status=~"5.."'), '5xx'],
          [part('status="401"'), '401: no valid token'],
          [part('status="429"'), '429: rate limited'],
        ],
      },
      {
        title: 'Refused by a rate limit',
        unit: 'reqps',
        queries: [
          [perSecond('limit', 'oss_vend_rate_limited_total'), '{{limit}}'],
          [perSecond('', 'oss_vend_new_sessions_refused_total'), 'new sessions of a caller'],
        ],
      },
    ],
  },
  {
    title: 'Latency',
    panels: [
      {
        title: 'Vends',
        unit: 's',
        queries: [0.5, 0.95, 0.99].map((q) => [
          quantile(q, '', REQUESTS, 'route="/v1/credentials"'),
          `${q * 100} % take at most`,
        ]),
      },
      {
        title: '95 % of the requests, by route',
        unit: 's',
        queries: [[quantile(0.95, 'route', REQUESTS), '{{route}}']],
      },
    ],
  },
  {
    title: 'Cache',
    panels: [
      {
        title: 'Look-ups in memory',
        unit: 'reqps',
        queries: [[perSecond('result', 'oss_vend_cache_lookups_total'), '{{result}}']],
      },
      {
        title: 'Look-ups in Redis',
        unit: 'reqps',
        queries: [[perSecond('result', 'oss_vend_shared_cache_lookups_total'), '{{result}}']],
      },
      {
        title: 'Refreshes ahead of time',
        unit: 'reqps',
        queries: [[perSecond('result', 'oss_vend_cache_refreshes_total'), '{{result}}']],
      },
      {
        title: 'Sessions in memory',
        unit: 'short',
        queries: [
          [of('oss_vend_cache_entries'), '{{instance}}'],
          [perSecond('', 'oss_vend_cache_evictions_total'), 'dropped to make room, each second'],
        ],
      },
      { title: 'Memory of the sessions', unit: 'bytes', queries: [[of('oss_vend_cache_bytes'), '{{instance}}']] },
      {
        title: 'The first session in memory ends in',
        unit: 's',
        about: 'Sessions that nobody asks for run out, so a low value alone is no fault.',
        queries: [[of('oss_vend_next_expiry_seconds'), '{{instance}}']],
      },
      {
        title: 'Look-ups of verified tokens',
        unit: 'reqps',
        queries: [[perSecond('result', 'oss_vend_token_cache_lookups_total'), '{{result}}']],
      },
    ],
  },
]
