import { of, perSecond, quantile, type Row } from './panel.ts'

/** The rows about the parts behind the service. */
export const machineryRows: readonly Row[] = [
  {
    title: 'STS',
    panels: [
      {
        title: 'Calls by outcome',
        unit: 'reqps',
        queries: [[perSecond('target, outcome', 'oss_vend_sts_calls_total'), '{{target}}: {{outcome}}']],
      },
      {
        title: 'Duration of calls',
        unit: 's',
        queries: [0.5, 0.99].map((q) => [
          quantile(q, 'target', 'oss_vend_sts_call_seconds'),
          `{{target}}: ${q * 100} % take at most`,
        ]),
      },
      {
        title: 'Clock of STS minus our clock',
        unit: 's',
        queries: [[of('oss_vend_sts_clock_offset_seconds'), '{{instance}}: {{target}}']],
      },
    ],
  },
  {
    title: 'Queue and breaker',
    panels: [
      {
        title: 'Calls that run',
        unit: 'short',
        queries: [[`sum by (target) (${of('oss_vend_sts_calls_running')})`, '{{target}}']],
      },
      {
        title: 'Vends that wait for a call',
        unit: 'short',
        queries: [[`sum by (target) (${of('oss_vend_sts_queue_length')})`, '{{target}}']],
      },
      {
        title: 'Turned away without a call',
        unit: 'reqps',
        queries: [[perSecond('target, reason', 'oss_vend_sts_shed_total'), '{{target}}: {{reason}}']],
      },
      {
        title: 'Replicas whose breaker is open or half open',
        unit: 'short',
        queries: [
          [`sum by (target, state) (${of('oss_vend_sts_breaker_state', 'state!="closed"')})`, '{{target}}: {{state}}'],
        ],
      },
    ],
  },
  {
    title: 'Keys and templates',
    panels: [
      {
        title: 'Age of key sets',
        unit: 's',
        queries: [[`max by (issuer) (${of('oss_vend_key_set_age_seconds')})`, '{{issuer}}']],
      },
      {
        title: 'Fetches of key sets',
        unit: 'reqps',
        queries: [[perSecond('issuer, result', 'oss_vend_key_set_fetches_total'), '{{issuer}}: {{result}}']],
      },
      {
        title: 'Age of STS keys',
        unit: 'd',
        queries: [[`max by (target) (${of('oss_vend_sts_key_age_seconds')}) / 86400`, '{{target}}']],
      },
      {
        title: 'Changed secrets in an hour',
        unit: 'short',
        queries: [
          [
            `sum by (secret, target, result) (increase(${of('oss_vend_secret_reloads_total')}[1h]))`,
            '{{secret}} {{target}}: {{result}}',
          ],
        ],
      },
      {
        title: 'Sets of templates in an hour',
        unit: 'short',
        queries: [
          [`sum by (outcome) (increase(${of('oss_vend_policy_loads_total')}[1h]))`, '{{outcome}}'],
          [`sum(${of('oss_vend_policies_stale')})`, 'replicas that refuse the set in the folder'],
        ],
      },
      {
        title: 'Templates, and dangers that they accept',
        unit: 'short',
        queries: [
          [`max(${of('oss_vend_policy_templates')})`, 'templates'],
          [`max by (policy, rule) (${of('oss_vend_policy_accepted_findings')})`, '{{policy}} accepts {{rule}}'],
        ],
      },
    ],
  },
  {
    title: 'Redis',
    panels: [
      { title: 'Redis answers', unit: 'short', queries: [[of('oss_vend_redis_up'), '{{instance}}']] },
      {
        title: 'Failures',
        unit: 'reqps',
        queries: [
          [perSecond('kind', 'oss_vend_redis_errors_total'), '{{kind}}'],
          [perSecond('', 'oss_vend_rate_limit_redis_failures_total'), 'rate limits go on alone'],
        ],
      },
      {
        title: 'Entries that no replica can have written',
        unit: 'short',
        queries: [[`sum by (what) (${of('oss_vend_redis_implausible_total')})`, '{{what}}']],
      },
    ],
  },
  {
    title: 'Process',
    panels: [
      {
        title: 'Delay of the event loop (99th percentile)',
        unit: 's',
        queries: [[of('nodejs_eventloop_lag_p99_seconds'), '{{instance}}']],
      },
      {
        title: 'Memory',
        unit: 'bytes',
        queries: [
          [of('process_resident_memory_bytes'), '{{instance}}: resident'],
          [of('nodejs_heap_size_used_bytes'), '{{instance}}: heap'],
        ],
      },
      {
        title: 'Cores in use',
        unit: 'short',
        queries: [[perSecond('instance', 'process_cpu_seconds_total'), '{{instance}}']],
      },
      {
        title: 'Overload',
        unit: 'reqps',
        queries: [
          [perSecond('instance', 'oss_vend_requests_shed_total'), '{{instance}}: requests shed'],
          [perSecond('reason', 'oss_vend_overloads_total'), 'begins by {{reason}}'],
        ],
      },
      {
        title: 'Connections',
        unit: 'reqps',
        queries: [
          [perSecond('', 'oss_vend_connections_refused_total'), 'over MAX_CONNECTIONS'],
          [perSecond('reason', 'oss_vend_connections_cut_total'), 'closed: {{reason}}'],
        ],
      },
    ],
  },
  {
    title: 'Audit and denylist',
    panels: [
      {
        title: 'Audit events',
        unit: 'reqps',
        queries: [[perSecond('outcome', 'oss_vend_audit_events_total'), '{{outcome}}']],
      },
      {
        title: 'Lost audit events in a day',
        unit: 'short',
        stat: true,
        queries: [[`sum(increase(${of('oss_vend_audit_lost_total')}[1d]))`, '']],
      },
      {
        title: 'Denied requests',
        unit: 'reqps',
        queries: [[perSecond('by', 'oss_vend_denied_total'), 'by {{by}}']],
      },
      {
        title: 'Entries of the denylist',
        unit: 'short',
        queries: [
          [`max by (source) (${of('oss_vend_deny_entries')})`, '{{source}}'],
          [`sum(${of('oss_vend_deny_stale')})`, 'replicas with an old list'],
        ],
      },
    ],
  },
]
