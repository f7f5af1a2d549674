import { type Group, integer } from '../setting.ts'

/** Limits for addresses and callers, and for overload. */
export const limits = {
  RATE_LIMIT_ADDRESS_PER_MINUTE: {
    help: 'Requests a minute from one address; an IPv6 /64 counts as one. 0 turns the limit off. Set TRUST_PROXY behind a load balancer, or all callers share one address.',
    ...integer(0, 1_000_000),
    default: '6000',
    remedy: 'set the requests a minute for one address, or 0 for no limit',
  },
  RATE_LIMIT_FAILED_AUTH_PER_MINUTE: {
    help: 'Bad tokens a minute from one address. 0 turns the limit off.',
    ...integer(0, 1_000_000),
    default: '300',
    remedy: 'set the bad tokens a minute for one address, or 0 for no limit',
  },
  RATE_LIMIT_CALLER_PER_MINUTE: {
    help: 'Requests a minute by one caller, from any address. 0 turns the limit off.',
    ...integer(0, 1_000_000),
    default: '120',
    remedy: 'set the requests a minute for one caller, or 0 for no limit',
  },
  RATE_LIMIT_NEW_SESSIONS_PER_MINUTE: {
    help: 'New sessions a minute for one caller. Each needs a call to STS; sessions from the cache do not count. A call that fails counts at its own target only. Each replica counts for itself. 0 turns the limit off.',
    ...integer(0, 1_000_000),
    default: '20',
    remedy: 'set the new sessions a minute for one caller, or 0 for no limit',
  },
  OVERLOAD_EVENT_LOOP_DELAY_MS: {
    help: 'Sheds requests while the event loop is late by this many milliseconds. 0 turns this off.',
    ...integer(0, 60_000),
    default: '500',
    remedy: 'set the delay above which requests are shed, or 0 for never',
  },
  OVERLOAD_HEAP_PERCENT: {
    help: "Sheds requests while this share of Node's heap limit is in use. 0 turns this off.",
    ...integer(0, 100),
    default: '90',
    remedy: "set the share of Node's heap limit, or 0 for never",
  },
  OVERLOAD_RSS_MB: {
    help: "Sheds requests while the process uses this much memory, in MB. Set it to 90 % of the container's limit. 0 turns this off.",
    ...integer(0, 1_000_000),
    default: '0',
    remedy: "set a little less than the container's memory limit, or 0 for never",
  },
} satisfies Group
