import { type Group, integer } from '../setting.ts'

/** How much one address or caller may ask for, and when the service sheds load. */
export const limits = {
  RATE_LIMIT_ADDRESS_PER_MINUTE: {
    help: 'Requests a minute from one address; an IPv6 /64 counts as one. 0 turns the limit off. Set TRUST_PROXY behind a load balancer, or all callers share one address.',
    ...integer(0, 1_000_000),
    default: '6000',
    remedy: 'give the requests a minute that one address may make, or 0 for no limit',
  },
  RATE_LIMIT_FAILED_AUTH_PER_MINUTE: {
    help: 'Tokens a minute from one address that do not verify. 0 turns the limit off.',
    ...integer(0, 1_000_000),
    default: '300',
    remedy: 'give the bad tokens a minute that one address may present, or 0 for no limit',
  },
  RATE_LIMIT_CALLER_PER_MINUTE: {
    help: 'Requests a minute by one caller, from any address. 0 turns the limit off.',
    ...integer(0, 1_000_000),
    default: '120',
    remedy: 'give the requests a minute that one caller may make, or 0 for no limit',
  },
  RATE_LIMIT_NEW_SESSIONS_PER_MINUTE: {
    help: 'New sessions a minute that one caller may cause, each of which is a call to STS. Sessions from the cache are free. Each replica counts for itself. 0 turns the limit off.',
    ...integer(0, 1_000_000),
    default: '20',
    remedy: 'give the new sessions a minute that one caller may cause, or 0 for no limit',
  },
  OVERLOAD_EVENT_LOOP_DELAY_MS: {
    help: 'Requests are shed while the event loop is late by this many milliseconds. 0 turns this off.',
    ...integer(0, 60_000),
    default: '500',
    remedy: 'give the delay from which requests are shed, or 0 for never',
  },
  OVERLOAD_HEAP_PERCENT: {
    help: "Requests are shed while this share of Node's heap limit is in use. 0 turns this off.",
    ...integer(0, 100),
    default: '90',
    remedy: "give the share of Node's heap limit, or 0 for never",
  },
  OVERLOAD_RSS_MB: {
    help: "Requests are shed while the process has this much memory, in MB. Set it to 90 % of the container's limit. 0 turns this off.",
    ...integer(0, 1_000_000),
    default: '0',
    remedy: "give a little less than the container's memory limit, or 0 for never",
  },
} satisfies Group
