import { z } from 'zod'
import {
  ALGORITHMS,
  JWKS_MAX_AGE_SECONDS,
  jwksOriginSchema,
  MAX_TOKEN_AGE_SECONDS,
  tokenType,
} from '../../identity/issuer.ts'
import { type Group, integer, list, text } from '../setting.ts'

/**
 * Trusted tokens. `readIssuers` checks how these settings fit together. Those without a default describe a single
 * issuer and are refused together with `JWT_ISSUERS_FILE`.
 */
export const tokens = {
  JWT_ISSUER: {
    help: 'The `iss` of your tokens, compared character by character, such as https://login.example.com.',
    schema: text,
    required: { unless: 'JWT_ISSUERS_FILE' },
    rule: 'must be the iss of your tokens',
    remedy: 'copy it from a decoded token',
  },
  JWT_AUDIENCE: {
    help: 'The `aud` of your tokens, such as https://api.example.com. Separate several with commas; a token needs one of them.',
    schema: list.pipe(z.array(text).min(1)),
    required: { unless: 'JWT_ISSUERS_FILE' },
    rule: 'must be the aud of your tokens',
    remedy: 'name the API that they are issued for; separate several with commas',
  },
  JWT_ALGORITHMS: {
    help: 'Signature algorithms, separated by commas. A token signed with any other is refused.',
    range: `Any of ${ALGORITHMS.join(', ')}`,
    schema: list.pipe(z.array(z.enum(ALGORITHMS)).min(1)),
    unset: 'HS256 for a secret, the one that fits a public key, RS256 and ES256 for a key set',
    rule: `must be from ${ALGORITHMS.join(', ')}`,
    remedy: 'name the algorithms of your issuer, separated by commas',
  },
  JWT_SECRET: {
    help: 'HMAC secret of at least 32 bytes: openssl rand -base64 48. Set at most one of JWT_SECRET, JWT_PUBLIC_KEY and JWT_JWKS_URL.',
    secret: true,
    schema: text,
    unset: 'no shared secret',
    rule: 'must be the HMAC secret of your tokens',
    remedy: 'leave it out if your issuer signs with a key pair',
  },
  JWT_PUBLIC_KEY: {
    help: 'Public key in PEM (SPKI). \\n is read as a line break.',
    secret: true,
    schema: text,
    unset: 'no fixed key',
    rule: 'must be a PEM public key',
    remedy: 'give the SPKI block; \\n is read as a line break',
  },
  JWT_JWKS_URL: {
    help: "Address of the issuer's key set (JWKS), https.",
    schema: text,
    unset: 'discovered from JWT_ISSUER (OpenID Connect Discovery) if there is no secret or public key',
    rule: 'must be the address of a key set (JWKS)',
    remedy: 'leave it out to discover it from JWT_ISSUER',
  },
  JWT_JWKS_ORIGINS: {
    help: "Further origins that may serve a discovered key set, besides the issuer's own host and the hosts below it, separated by commas. Google (accounts.google.com) needs https://www.googleapis.com.",
    schema: list.pipe(z.array(jwksOriginSchema).min(1)),
    unset: "the issuer's own host and the hosts below it",
    rule: 'must be https origins such as https://keys.example.com, separated by commas',
    remedy: "name the origin of the key set, without a path, if it is not the issuer's host",
  },
  JWT_JWKS_MAX_AGE_SECONDS: {
    help: "Age in seconds after which a fetched key set verifies nothing. The issuer's callers are then answered 503 until a fetch succeeds.",
    ...integer(JWKS_MAX_AGE_SECONDS.least, JWKS_MAX_AGE_SECONDS.most),
    default: '86400',
    remedy: 'set the age after which a key set verifies nothing until it is fetched again',
  },
  JWT_ALLOWED_TYPES: {
    help: 'Accepted values of the `typ` header, separated by commas. The word absent stands for no `typ`.',
    schema: list.pipe(z.array(tokenType).min(1)),
    unset: 'absent,JWT,at+jwt',
    rule: 'must be values of the typ header, separated by commas',
    remedy: 'name the types of your access tokens, absent for no typ; leave it out for absent,JWT,at+jwt',
  },
  JWT_MAX_TOKEN_AGE_SECONDS: {
    help: 'Age in seconds, counted from `iat`, above which a token is refused, whatever its `exp` says.',
    ...integer(1, MAX_TOKEN_AGE_SECONDS),
    unset: 'no limit',
    remedy: 'set the age above which a token is refused, or leave it out for no limit',
  },
  JWT_CLOCK_TOLERANCE_SECONDS: {
    help: 'Allowed difference between clocks, in seconds, for the checks of `exp`, `nbf` and `iat`.',
    ...integer(0, 300),
    default: '5',
    remedy: 'keep it as small as your clocks allow',
  },
  JWT_CACHE_ENTRIES: {
    help: 'Verified tokens to remember, so that a token that returns costs no signature check; 0 remembers none. Dates and keys are still checked at each use. One takes about 2 kB.',
    ...integer(0, 1_000_000),
    default: '10000',
    remedy: 'give how many verified tokens to remember, or 0 for none',
  },
  JWT_ISSUERS_FILE: {
    help: 'YAML or JSON file of several issuers, in place of the settings above: see "Several issuers" in docs/configuration.md.',
    schema: text,
    unset: 'one issuer, from the settings above',
    rule: 'must be the path of a YAML or JSON file',
    remedy: 'see "Several issuers" in docs/configuration.md',
  },
} satisfies Group
