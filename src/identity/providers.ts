import type { IssuerEntry } from './issuer-entry.ts'

type KeyFields = Pick<IssuerEntry, 'jwksUrl' | 'jwksOrigins' | 'jwksTokenFile' | 'jwksCaFile'>

/** What an `iss` can follow from. */
type Given = Readonly<{ tenants?: readonly string[] | undefined; audience?: readonly string[] | undefined }>

/** What is known of a provider's tokens. `docs/providers.md` has a section for each. */
export type Provider = Readonly<{
  /** The `iss`, where it is the same for everybody or follows from the entry. */
  issuer?: (given: Given) => readonly string[] | undefined
  /** What an `iss` looks like. It is compared character by character, so a slash too many refuses everybody. */
  form?: Readonly<{ pattern: RegExp; example: string }>
  /** A field that the `iss` follows from, and how many values it needs. */
  needs?: Readonly<{ field: 'tenants' | 'audience'; one: boolean; what: string }>
  /** Where the keys are. Without it they are discovered. Left out if the operator names any key. */
  keys?: (issuer: string) => KeyFields
  /** Other fields, each for entries that do not have it. */
  fields?: Partial<Pick<IssuerEntry, 'audience' | 'audienceClaim' | 'subject'>>
  /** Claims as this provider makes them, for the linter. */
  typicalClaims: Readonly<Record<string, string>>
  /**
   * A stranger's values of the claims that tell strangers apart, where anyone can have a token with any audience. Claims
   * that a stranger can give any value, such as the name of a branch, are not among them.
   */
  strangers?: Readonly<Record<string, string>>
}>

const UUID = '5f1c7a52-6f3e-4b1f-9d0e-3a6a2f0b9c11'
const SERVICE_ACCOUNT = '/var/run/secrets/kubernetes.io/serviceaccount'

const COGNITO: Provider = {
  form: {
    pattern: /^https:\/\/cognito-idp\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?\/[a-z0-9-]+_[A-Za-z0-9]+$/u,
    example: 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI',
  },
  keys: (issuer) => ({ jwksUrl: `${issuer}/.well-known/jwks.json` }),
  typicalClaims: { sub: UUID },
}

const AUTH0: Provider = {
  form: { pattern: /^https:\/\/[^/]+\/$/u, example: 'https://example.eu.auth0.com/' },
  typicalClaims: { sub: 'auth0|64f0c2a1b3d4e5f6a7b8c9d0' },
}

const KEYCLOAK: Provider = {
  form: { pattern: /^https?:\/\/.+\/realms\/[^/]+$/u, example: 'https://keycloak.example.com/realms/web' },
  typicalClaims: { sub: UUID },
}

const FIREBASE: Provider = {
  issuer: ({ audience = [] }) => audience.map((project) => `https://securetoken.google.com/${project}`),
  form: {
    pattern: /^https:\/\/securetoken\.google\.com\/[^/]+$/u,
    example: 'https://securetoken.google.com/my-project',
  },
  // Two projects may give one uid to two people.
  needs: { field: 'audience', one: true, what: 'the id of one project' },
  keys: () => ({
    jwksUrl: 'https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com',
  }),
  typicalClaims: { sub: 'Xk2mPq9rStUvWxYz01AbCdEfGh34' },
}

const AZURE: Provider = {
  issuer: ({ tenants }) =>
    tenants && ['https://login.microsoftonline.com/{tid}/v2.0', 'https://sts.windows.net/{tid}/'],
  needs: { field: 'tenants', one: false, what: 'the ids of your tenants' },
  fields: { subject: 'oid' },
  typicalClaims: { sub: UUID, oid: UUID },
}

const OKTA: Provider = {
  form: { pattern: /^https:\/\/[^/]+\/oauth2\/[^/]+$/u, example: 'https://example.okta.com/oauth2/default' },
  // A login can be changed, and given to somebody else later.
  fields: { subject: 'uid' },
  typicalClaims: { sub: '00u1a2b3c4D5e6F7g8h9', uid: '00u1a2b3c4D5e6F7g8h9' },
}

const SUPABASE: Provider = {
  form: { pattern: /^https?:\/\/.+\/auth\/v1$/u, example: 'https://abcdefghijklmnopqrst.supabase.co/auth/v1' },
  keys: (issuer) => ({ jwksUrl: `${issuer}/.well-known/jwks.json` }),
  fields: { audience: ['authenticated'] },
  typicalClaims: { sub: UUID },
}

const GOOGLE: Provider = {
  issuer: () => ['https://accounts.google.com', 'accounts.google.com'],
  keys: () => ({ jwksUrl: 'https://www.googleapis.com/oauth2/v3/certs' }),
  typicalClaims: { sub: '113700000000000000042' },
  // Service accounts of any project name the audience themselves. `email` of a private account can have any domain.
  strangers: { sub: '100000000000000000099', hd: 'stranger.example' },
}

const APPLE: Provider = {
  issuer: () => ['https://appleid.apple.com'],
  keys: () => ({ jwksUrl: 'https://appleid.apple.com/auth/keys' }),
  typicalClaims: { sub: '001234.0a1b2c3d4e5f60718293a4b5c6d7e8f9.0123' },
}

const KUBERNETES: Provider = {
  issuer: () => ['https://kubernetes.default.svc.cluster.local'],
  keys: () => ({
    jwksUrl: 'https://kubernetes.default.svc/openid/v1/jwks',
    jwksTokenFile: `${SERVICE_ACCOUNT}/token`,
    jwksCaFile: `${SERVICE_ACCOUNT}/ca.crt`,
  }),
  typicalClaims: { sub: 'system:serviceaccount:ci:builder' },
}

const GITHUB_ACTIONS: Provider = {
  issuer: () => ['https://token.actions.githubusercontent.com'],
  typicalClaims: {
    sub: 'repo:octo-org/octo-repo:ref:refs/heads/main',
    repository: 'octo-org/octo-repo',
    ref: 'refs/heads/main',
    workflow_ref: 'octo-org/octo-repo/.github/workflows/build.yml@refs/heads/main',
    job_workflow_ref: 'octo-org/octo-repo/.github/workflows/build.yml@refs/heads/main',
  },
  // Without `job_workflow_ref`: any repository may call a public workflow.
  strangers: {
    sub: 'repo:stranger/project:ref:refs/heads/main',
    repository: 'stranger/project',
    repository_id: '900000001',
    repository_owner: 'stranger',
    repository_owner_id: '900000002',
    workflow_ref: 'stranger/project/.github/workflows/build.yml@refs/heads/main',
    enterprise: 'stranger',
    enterprise_id: '900000003',
  },
}

const GITLAB: Provider = {
  issuer: () => ['https://gitlab.com'],
  form: { pattern: /^https:\/\/.*[^/]$/u, example: 'https://gitlab.example.com' },
  typicalClaims: {
    sub: 'project_path:group/project:ref_type:branch:ref:main',
    project_path: 'group/project',
    ref_path: 'refs/heads/main',
    ci_config_ref_uri: 'gitlab.com/group/project//.gitlab-ci.yml@refs/heads/main',
  },
  // Without `ci_config_ref_uri`: any project may run the pipeline of a public one.
  strangers: {
    sub: 'project_path:stranger/project:ref_type:branch:ref:main',
    project_path: 'stranger/project',
    project_id: '900000001',
    namespace_path: 'stranger',
    namespace_id: '900000002',
  },
}

/** By the names that an entry can have as its `provider`. */
export const PROVIDERS = {
  auth0: AUTH0,
  keycloak: KEYCLOAK,
  'cognito-access': { ...COGNITO, fields: { audienceClaim: 'client_id' } },
  'cognito-id': COGNITO,
  firebase: FIREBASE,
  azure: AZURE,
  okta: OKTA,
  supabase: SUPABASE,
  google: GOOGLE,
  apple: APPLE,
  kubernetes: KUBERNETES,
  'github-actions': GITHUB_ACTIONS,
  gitlab: GITLAB,
} as const satisfies Record<string, Provider>

export type ProviderName = keyof typeof PROVIDERS
