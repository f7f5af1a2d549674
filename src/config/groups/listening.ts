import { z } from 'zod'
import { readRanges } from '../../lib/trusted-proxies.ts'
import { flag, type Group, integer, list, text } from '../setting.ts'

const LOG_LEVELS = ['fatal', 'error', 'warn', 'info', 'debug', 'trace', 'silent'] as const

const hops = z
  .string()
  .regex(/^[1-9]\d?$/u)
  .transform(Number)
const ranges = list.transform((items, context) => {
  const read = readRanges(items)
  if (read) return read
  context.addIssue({ code: 'custom', message: 'are not ranges to trust' })
  return z.NEVER
})
const origin = z.string().refine((value) => value === '*' || (URL.canParse(value) && new URL(value).origin === value))

/** How the service listens, which proxies it trusts, what it logs, how it stops. */
export const listening = {
  HOST: {
    help: 'Address to listen on. A container needs 0.0.0.0, which the image sets. :: listens on IPv6 and IPv4.',
    schema: text,
    default: '127.0.0.1',
    rule: 'must be an address to listen on',
    remedy: 'use 0.0.0.0 in a container, or :: for IPv6 and IPv4',
  },
  PORT: {
    help: 'Port to listen on. 0 takes any free port.',
    ...integer(0, 65_535),
    default: '3000',
    remedy: 'choose the port to listen on',
  },
  OPS_PORT: {
    help: "Port of a second listener, the ops listener, with /metrics, /livez and /readyz. It needs no token: open it only to the operator's network.",
    ...integer(0, 65_535),
    unset: 'no second listener',
    remedy: 'choose the port of /metrics, or leave it out for none',
  },
  OPS_HOST: {
    help: 'Address of the ops listener. The image sets 0.0.0.0; an --env-file that sets 127.0.0.1 takes that back.',
    schema: text,
    default: '127.0.0.1',
    rule: 'must be an address to listen on',
    remedy: 'name one that only the operator reaches, or use 0.0.0.0 in a container',
  },
  DOCS_ENABLED: {
    help: 'Whether /docs and /openapi.json are served. They need no token.',
    ...flag,
    unset: 'false where NODE_ENV=production, as in the image, and true elsewhere',
    remedy: 'leave it out for false where NODE_ENV=production, and true elsewhere',
  },
  LOG_LEVEL: {
    help: 'Lowest level in the log. No level logs secrets.',
    range: `One of ${LOG_LEVELS.join(', ')}`,
    schema: z.enum(LOG_LEVELS),
    default: 'info',
    rule: 'must be fatal, error, warn, info, debug, trace or silent',
    remedy: 'leave it out for info',
  },
  TRUST_PROXY: {
    help: 'Load balancers whose X-Forwarded-For is trusted: their number in a row (1), or their addresses and CIDR ranges (10.0.0.0/8). A trusted address chooses the address that a caller seems to have.',
    schema: z.union([hops, ranges]),
    unset: 'none is trusted',
    rule: 'must be a number of proxies from 1 to 99, or addresses and CIDR ranges separated by commas, without host bits, and less than a /6 in all',
    remedy: 'name only your load balancers: a trusted address chooses the address that a caller seems to have',
  },
  CORS_ORIGINS: {
    help: 'Web origins whose pages may call the service, such as https://app.example.com,https://admin.example.com.',
    schema: list.pipe(z.array(origin)),
    unset: 'none',
    rule: 'must be origins such as https://app.example.com, separated by commas',
    remedy: 'write scheme and host, without a path',
  },
  AWS_STS_AT_ROOT: {
    help: 'Whether POST / answers AssumeRoleWithWebIdentity, too, for clients that drop the path of AWS_ENDPOINT_URL_STS. POST /v1/aws/sts always does.',
    ...flag,
    default: 'false',
    remedy: 'leave it out for false',
  },
  REQUEST_TIMEOUT_MS: {
    help: 'Milliseconds within which a whole request must arrive, and within which the client must read the answer. A slower connection is closed.',
    ...integer(1000, 60_000),
    default: '10000',
    remedy: 'set the time within which a whole request must arrive',
  },
  MAX_CONNECTIONS: {
    help: 'Most connections at a time. Further ones are closed at once. The process must be allowed to open that many files.',
    ...integer(1, 1_000_000),
    default: '10000',
    remedy: 'set the most connections at a time',
  },
  SHUTDOWN_DELAY_MS: {
    help: 'Milliseconds after SIGTERM during which /readyz fails and requests are still served, so that the load balancer stops sending. Together with VEND_DEADLINE_MS at most 9000, so that the process ends within 10 seconds.',
    ...integer(0, 4000),
    default: '1000',
    remedy: 'set the time that a load balancer needs to see /readyz fail',
  },
} satisfies Group
