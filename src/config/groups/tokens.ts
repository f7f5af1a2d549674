import { z } from 'zod'
import { ALGORITHMS } from '../../identity/algorithms.ts'
import { SUBJECT_TYPES } from '../../identity/issuer.ts'
import {
  claimName,
  JWKS_MAX_AGE_SECONDS,
  JWKS_MAX_BYTES,
  JWKS_TIMEOUT_MS,
  jwksOriginSchema,
  MAX_TOKEN_AGE_SECONDS,
  tokenType,
} from '../../identity/issuer-entry.ts'
import { SECRET_ENCODINGS } from '../../identity/secret-bytes.ts'
import { MAX_TOKEN_BYTES } from '../../identity/token.ts'
import { type Group, integer, list, text } from '../setting.ts'

/**
 * Trusted tokens. `readIssuers` checks how these settings fit together. Those without a default describe a single
 * issuer and are refused together with `JWT_ISSUERS_FILE`.
 */
export const tokens = {
  JWT_ISSUER: {
    help: 'The `iss` of your tokens, compared character by character, such as https://login.example.com. The word none is for tokens that have no `iss`, and needs a secret or public key.',
    schema: text,
    required: { unless: 'JWT_ISSUERS_FILE' },
    rule: 'must be the iss of your tokens',
    remedy: 'copy it from a decoded token',
  },
  JWT_AUDIENCE: {
    help: 'The `aud` of your tokens, such as https://api.example.com. Separate several with commas; a token needs one of them. The word none turns the check off, and needs a secret or public key that signs for no other API.',
    schema: list.pipe(z.array(text).min(1)),
    required: { unless: 'JWT_ISSUERS_FILE' },
    rule: 'must be the aud of your tokens',
    remedy: 'name the API that they are issued for; separate several with commas',
  },
  JWT_AUDIENCE_CLAIM: {
    help: 'The claim that names the audience, where it is not `aud`: client_id for access tokens of Cognito, or azp. It must be text.',
    schema: claimName,
    unset: 'aud',
    rule: 'must be the name of a claim',
    remedy: 'leave it out for aud',
  },
  JWT_SUBJECT_CLAIM: {
    help: 'The claim that names the user, such as oid or userId. It must name one user for ever. Templates see it as `${jwt:sub}`.',
    schema: claimName,
    unset: 'sub',
    rule: 'must be the name of a claim',
    remedy: 'leave it out for sub',
  },
  JWT_SUBJECT_TYPE: {
    help: 'Whether that claim is text or a whole number. Templates see the digits of a number.',
    range: `One of ${SUBJECT_TYPES.join(', ')}`,
    schema: z.enum(SUBJECT_TYPES),
    unset: 'text',
    rule: `must be ${SUBJECT_TYPES.join(' or ')}`,
    remedy: 'leave it out for text',
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
    help: 'HMAC secret of at least 32 bytes: openssl rand -base64 48. It may stand beside JWT_PUBLIC_KEY or JWT_JWKS_URL, while your issuer moves to a key pair.',
    secret: true,
    schema: text,
    unset: 'no shared secret',
    rule: 'must be the HMAC secret of your tokens',
    remedy: 'leave it out if your issuer signs with a key pair',
  },
  JWT_SECRET_ENCODING: {
    help: 'How JWT_SECRET writes the bytes of the secret.',
    range: `One of ${SECRET_ENCODINGS.join(', ')}`,
    schema: z.enum(SECRET_ENCODINGS),
    unset: 'utf8: the text itself',
    rule: `must be one of ${SECRET_ENCODINGS.join(', ')}`,
    remedy: 'leave it out if tokens are signed with the text itself',
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
    help: "Address of the issuer's key set (JWKS, or a map from key ids to X.509 certificates), https.",
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
  JWT_JWKS_TIMEOUT_MS: {
    help: 'Milliseconds that a key server has for its whole answer.',
    ...integer(JWKS_TIMEOUT_MS.least, JWKS_TIMEOUT_MS.most),
    default: '2000',
    remedy: 'set the time that your key server needs',
  },
  JWT_JWKS_MAX_BYTES: {
    help: 'Longest answer of a key server, in bytes.',
    ...integer(JWKS_MAX_BYTES.least, JWKS_MAX_BYTES.most),
    default: '262144',
    remedy: 'set the length of the longest key set',
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
  JWT_MAX_BYTES: {
    help: 'Longest token, in bytes. A longer one is refused unread. Header fields may take 8192 bytes more than this. Proxies in front have limits of their own, often 8 kB.',
    ...integer(MAX_TOKEN_BYTES.least, MAX_TOKEN_BYTES.most),
    default: '16384',
    remedy: 'set the length of your longest tokens: one with 400 roles has 12 kB',
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
