import { opaque, SHAPES } from './shapes.ts'

/** A usual mistake: what the operator wrote, or what the caller sends. */
export type Mistake = Readonly<{
  /** Which issuers file of the section. */
  block?: number
  /** Fields in place of the page's. */
  entry?: Readonly<Record<string, unknown>>
  /** The variables, with these in place of the page's. */
  variables?: Readonly<Record<string, string>>
  /** The template without `|hash`. */
  plain?: true
  claims?: Readonly<Record<string, unknown>>
  header?: Readonly<Record<string, unknown>>
  /** The secret that signs. */
  key?: 'supabase' | 'jwt'
  /** What is sent in place of a token. */
  raw?: string
  /** The API server of Kubernetes refuses the service's bearer. */
  forbidden?: true
  /** What the log must have besides. */
  logs?: string
}>

const encrypted = 'eyJlbmMiOiJBMjU2R0NNIn0.c2VjcmV0.aXY.Y2lwaGVy.dGFn'
const idToken = SHAPES['cognito-id-tokens']?.claims ?? {}
const GROUPS = Array.from({ length: 900 }, (_, index) => `CN=Group ${index},DC=example`)

/** By the sections of docs/providers.md, and by how the first cell of each row begins. */
export const MISTAKES: Readonly<Record<string, Readonly<Record<string, Mistake>>>> = {
  auth0: {
    '`issuer` without the slash': { entry: { issuer: 'https://example.eu.auth0.com' } },
    '`JWT_ISSUER` without the slash': { variables: { JWT_ISSUER: 'https://example.eu.auth0.com' } },
    'the app asks for a token without': { raw: encrypted },
    'the app sends its ID token': { claims: { aud: 'AbCdEf0123456789AbCdEf0123456789' } },
    '*Add Permissions': { claims: { permissions: undefined } },
  },
  keycloak: {
    '`issuer` with a slash': { entry: { issuer: 'https://keycloak.example.com/realms/web/' } },
    'the app reaches Keycloak': { claims: { iss: 'http://keycloak:8080/realms/web' } },
    'there is no audience mapper': { claims: { aud: 'account' } },
    'the app sends its ID token': { claims: { typ: 'ID' } },
    'the app sends its refresh token': { claims: { typ: 'Refresh' }, header: { alg: 'HS512' } },
    'the user lacks the role': { claims: { realm_access: { roles: ['offline_access'] } } },
  },
  'cognito-access-tokens': {
    '`issuer` is the domain': { entry: { issuer: 'https://example.auth.eu-west-1.amazoncognito.com' } },
    'the app sends its ID token': { claims: { ...idToken, client_id: undefined, scope: undefined } },
    'the app sends a token of an identity pool': { claims: { iss: 'https://cognito-identity.amazonaws.com' } },
    'the user is in no group': { claims: { 'cognito:groups': undefined } },
  },
  'cognito-id-tokens': {
    'the app sends its access token': {
      claims: { ...SHAPES['cognito-access-tokens']?.claims, aud: undefined },
    },
    'the app sends its refresh token': { raw: encrypted },
  },
  firebase: {
    'two projects': { entry: { audience: ['my-project', 'other-project'] } },
    "`audience` is the project's number": { entry: { audience: '123456789012' } },
    'the app sends a session cookie': { claims: { iss: 'https://session.firebase.google.com/my-project' } },
    'the app sends the custom token': { claims: { iss: 'sdk@my-project.iam.gserviceaccount.com' } },
    'an anonymous user': { claims: { firebase: { identities: {}, sign_in_provider: 'anonymous' } } },
  },
  azure: {
    '`tenants` is missing': { entry: { tenants: undefined } },
    '`tenants` has a domain': { entry: { tenants: ['contoso.onmicrosoft.com'] } },
    'a user of another tenant': {
      claims: {
        iss: 'https://login.microsoftonline.com/9188040d-6c67-4c5b-b112-36a304b66dad/v2.0',
        tid: '9188040d-6c67-4c5b-b112-36a304b66dad',
      },
    },
    'the app sends a token for Microsoft Graph': { claims: { aud: '00000003-0000-0000-c000-000000000000' } },
    'the app sends an ID token without': { claims: { oid: undefined } },
    'nobody assigned the app role': { claims: { roles: undefined } },
  },
  okta: {
    '`issuer` is the org server': { entry: { issuer: 'https://example.okta.com' } },
    'the app sends a token of the org server': {
      claims: { iss: 'https://example.okta.com', aud: 'https://example.okta.com' },
    },
    'a service with client credentials': { claims: { uid: undefined, sub: '0oa1a2b3c4D5e6F7g8h9' } },
    'the app did not ask for the scope': { claims: { scp: ['openid'] } },
  },
  supabase: {
    '`issuer` without': { entry: { issuer: 'https://abcdefghijklmnopqrst.supabase.co' } },
    'the app sends the `anon`': {
      block: 1,
      claims: { iss: 'supabase', aud: undefined, sub: undefined, role: 'anon' },
      header: { alg: 'HS256' },
      key: 'supabase',
    },
    'the key pair signs': { block: 1 },
    'the secret signs': { header: { alg: 'HS256' }, key: 'supabase' },
    '`secretEncoding: base64`': {
      block: 1,
      entry: { secretFile: 'jwt', secretEncoding: 'base64' },
      header: { alg: 'HS256' },
      key: 'jwt',
    },
    'an anonymous user': { claims: { is_anonymous: true } },
  },
  google: {
    'the app sends its access token': { raw: opaque() },
    'the client id of another': { claims: { aud: '1234567890-ios.apps.googleusercontent.com' } },
    'a private account': { claims: { hd: undefined } },
    'an account of another company': { claims: { hd: 'example.net' } },
  },
  apple: {
    'the app sends the authorization code': { raw: 'c0a1b2c3d4.0.srwqx.AbCdEfGhIjKlMnOpQrStUv' },
    "the audience is the team's id": { entry: { audience: 'A1B2C3D4E5' } },
    'the app keeps the token': { claims: { iat: 1_760_000_000, exp: 1_760_000_600 } },
  },
  kubernetes: {
    '`${jwt:sub}` without': { plain: true },
    'the pod sends its default token': { claims: { aud: ['https://kubernetes.default.svc.cluster.local'] } },
    'the cluster has another issuer': { claims: { iss: 'https://oidc.eks.eu-west-1.amazonaws.com/id/ABCDEF0123' } },
    'a service account of another namespace': { claims: { 'kubernetes.io': { namespace: 'web' } } },
    'the account of the service': { forbidden: true, logs: 'http_403' },
  },
  'github-actions': {
    '`${jwt:sub}` without': { plain: true },
    'the job asks for no audience': { claims: { aud: 'https://github.com/octo-org' } },
    'a repository of somebody else': {
      claims: { sub: 'repo:octo-org-2/octo-repo:ref:refs/heads/main', repository_owner_id: '66' },
    },
    'a pull request': { claims: { sub: 'repo:octo-org/octo-repo:pull_request', ref: 'refs/pull/7/merge' } },
    'the job sends its': { raw: opaque().replace('ya29.', 'ghs_') },
  },
  gitlab: {
    '`${jwt:sub}` without': { plain: true },
    '`issuer` with a slash': { entry: { issuer: 'https://gitlab.com/' } },
    'the job sends its `CI_JOB_TOKEN`': { raw: opaque().replace('ya29.', 'glcbt-') },
    'a project of another group': { claims: { namespace_id: '73' } },
    'an unprotected branch': { claims: { ref_protected: 'false' } },
  },
  wechat: {
    "the app sends WeChat's": { raw: opaque() },
    'the token has no `aud`': { claims: { aud: undefined } },
    'the openid is in': { claims: { sub: undefined, openid: 'oGZUI0egBJY1zhBYw2KhdUfwVJJE' } },
    '`exp` is in milliseconds': { claims: { exp: Date.now() + 3_600_000 } },
  },
  'home-grown-tokens': {
    '`subjectType` is missing': { entry: { subjectType: undefined } },
    'the id is a text': { claims: { userId: '4711' } },
    '`secretEncoding` is missing': { entry: { secretEncoding: undefined } },
    'some tokens have an `iss`': { claims: { iss: 'https://login.example.com' } },
    'the token has no `exp`': { claims: { exp: undefined } },
  },
  'ad-fs': {
    '`${jwt:sub}` without': { plain: true },
    '`issuer` is the address of discovery': { entry: { issuer: 'https://adfs.example.com/adfs' } },
    'the user is in many hundred groups': { claims: { groups: GROUPS } },
    'the rule sends no `sub`': { claims: { sub: undefined } },
  },
}
