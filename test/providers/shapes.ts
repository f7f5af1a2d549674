import { randomBytes } from 'node:crypto'

/** What a real token of a provider looks like, and of whom. */
export type Shape = Readonly<{
  header: Readonly<Record<string, unknown>>
  claims: Readonly<Record<string, unknown>>
  /** Claims of another user, who gets a folder of their own. */
  neighbour: Readonly<Record<string, unknown>>
  /** Where the keys are, once discovered. */
  jwks?: string
  /** For providers that are discovered. */
  discovery?: string
}>

const UUID = '5f1c7a52-6f3e-4b1f-9d0e-3a6a2f0b9c11'
const OTHER_UUID = '0d5b6a9e-1c2d-4e3f-8a9b-0c1d2e3f4a5b'
const rs256 = { alg: 'RS256', kid: 'key-1' }
/** Some providers name no type. `mint` says JWT unless it is told otherwise. */
const untyped = { ...rs256, typ: undefined }

const TID = '11111111-2222-3333-4444-555555555555'
const COGNITO = 'https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_AbCdEfGhI'
const CLIENT = '1h57kf5cpq17m0eml12example'
const cognito = {
  header: untyped,
  discovery: COGNITO,
  jwks: `${COGNITO}/.well-known/jwks.json`,
  neighbour: { sub: OTHER_UUID, username: OTHER_UUID, 'cognito:username': OTHER_UUID },
}
const cognitoClaims = {
  iss: COGNITO,
  sub: UUID,
  'cognito:groups': ['uploaders'],
  auth_time: 1_760_000_000,
  jti: OTHER_UUID,
}

/** By the anchors of docs/providers.md. */
export const SHAPES: Readonly<Record<string, Shape>> = {
  auth0: {
    header: rs256,
    claims: {
      iss: 'https://example.eu.auth0.com/',
      aud: ['https://api.example.com', 'https://example.eu.auth0.com/userinfo'],
      sub: 'auth0|64f0c2a1b3d4e5f6a7b8c9d0',
      azp: 'AbCdEf0123456789AbCdEf0123456789',
      scope: 'openid profile email',
      permissions: ['upload:files'],
      'https://example.com/roles': ['uploader'],
    },
    neighbour: { sub: 'google-oauth2|113700000000000000042' },
    discovery: 'https://example.eu.auth0.com/',
    jwks: 'https://example.eu.auth0.com/.well-known/jwks.json',
  },
  keycloak: {
    header: rs256,
    claims: {
      iss: 'https://keycloak.example.com/realms/web',
      aud: ['oss-vend', 'account'],
      sub: UUID,
      typ: 'Bearer',
      azp: 'web',
      preferred_username: 'alice',
      realm_access: { roles: ['offline_access', 'uploader'] },
      resource_access: { account: { roles: ['manage-account'] } },
      scope: 'openid email',
    },
    neighbour: { sub: OTHER_UUID, preferred_username: 'bob' },
    discovery: 'https://keycloak.example.com/realms/web',
    jwks: 'https://keycloak.example.com/realms/web/protocol/openid-connect/certs',
  },
  'cognito-access-tokens': {
    ...cognito,
    claims: { ...cognitoClaims, client_id: CLIENT, token_use: 'access', scope: 'openid', username: UUID },
  },
  'cognito-id-tokens': {
    ...cognito,
    claims: { ...cognitoClaims, aud: CLIENT, token_use: 'id', 'cognito:username': UUID, email: 'alice@example.com' },
  },
  firebase: {
    header: rs256,
    claims: {
      iss: 'https://securetoken.google.com/my-project',
      aud: 'my-project',
      sub: 'Xk2mPq9rStUvWxYz01AbCdEfGh34',
      user_id: 'Xk2mPq9rStUvWxYz01AbCdEfGh34',
      firebase: { identities: { email: ['alice@example.com'] }, sign_in_provider: 'password' },
    },
    neighbour: { sub: 'Zz2mPq9rStUvWxYz01AbCdEfGh34' },
    jwks: 'https://www.googleapis.com/service_accounts/v1/jwk/securetoken@system.gserviceaccount.com',
  },
  azure: {
    header: { ...rs256, x5t: 'key-1' },
    claims: {
      iss: `https://login.microsoftonline.com/${TID}/v2.0`,
      aud: 'f3b0c0de-0000-4000-8000-000000000001',
      sub: 'pairwise-v2_AbCdEfGhIjKlMnOpQrStUvWxYz0123456789',
      oid: UUID,
      tid: TID,
      ver: '2.0',
      azp: OTHER_UUID,
      roles: ['Files.Upload'],
      scp: 'access_as_user',
    },
    neighbour: { oid: OTHER_UUID },
    discovery: `https://login.microsoftonline.com/${TID}/v2.0`,
    jwks: `https://login.microsoftonline.com/${TID}/discovery/v2.0/keys`,
  },
  okta: {
    header: untyped,
    claims: {
      iss: 'https://example.okta.com/oauth2/default',
      aud: 'api://default',
      sub: 'alice@example.com',
      uid: '00u1a2b3c4D5e6F7g8h9',
      cid: '0oa1a2b3c4D5e6F7g8h9',
      scp: ['openid', 'files.upload'],
      groups: ['Everyone'],
      ver: 1,
    },
    // The login is the same: a colleague who has the address of the one who left.
    neighbour: { uid: '00u9z8y7x6W5v4U3t2s1' },
    discovery: 'https://example.okta.com/oauth2/default',
    jwks: 'https://example.okta.com/oauth2/default/v1/keys',
  },
  supabase: {
    header: { alg: 'ES256', kid: 'key-2' },
    claims: {
      iss: 'https://abcdefghijklmnopqrst.supabase.co/auth/v1',
      aud: 'authenticated',
      sub: UUID,
      role: 'authenticated',
      aal: 'aal1',
      session_id: OTHER_UUID,
      is_anonymous: false,
      app_metadata: { provider: 'email' },
      user_metadata: {},
    },
    neighbour: { sub: OTHER_UUID },
    jwks: 'https://abcdefghijklmnopqrst.supabase.co/auth/v1/.well-known/jwks.json',
  },
  google: {
    header: rs256,
    claims: {
      iss: 'https://accounts.google.com',
      aud: '1234567890-abc.apps.googleusercontent.com',
      azp: '1234567890-abc.apps.googleusercontent.com',
      sub: '113700000000000000042',
      email: 'alice@example.com',
      email_verified: true,
      hd: 'example.com',
    },
    neighbour: { sub: '113700000000000000043', email: 'bob@example.com' },
    jwks: 'https://www.googleapis.com/oauth2/v3/certs',
  },
  apple: {
    header: untyped,
    claims: {
      iss: 'https://appleid.apple.com',
      aud: 'com.example.app',
      sub: '001234.0a1b2c3d4e5f60718293a4b5c6d7e8f9.0123',
      email: 'x@privaterelay.appleid.com',
      is_private_email: 'true',
      nonce_supported: true,
    },
    neighbour: { sub: '001234.ffffffffffffffffffffffffffffffff.0456' },
    jwks: 'https://appleid.apple.com/auth/keys',
  },
  kubernetes: {
    header: untyped,
    claims: {
      iss: 'https://kubernetes.default.svc.cluster.local',
      aud: ['oss-vend'],
      sub: 'system:serviceaccount:ci:builder',
      'kubernetes.io': {
        namespace: 'ci',
        pod: { name: 'b-1', uid: UUID },
        serviceaccount: { name: 'builder', uid: UUID },
      },
    },
    neighbour: { sub: 'system:serviceaccount:ci:deployer' },
    jwks: 'https://kubernetes.default.svc/openid/v1/jwks',
  },
  'github-actions': {
    header: rs256,
    claims: {
      iss: 'https://token.actions.githubusercontent.com',
      aud: 'oss-vend',
      sub: 'repo:octo-org/octo-repo:ref:refs/heads/main',
      repository: 'octo-org/octo-repo',
      repository_id: '74',
      repository_owner: 'octo-org',
      repository_owner_id: '65',
      ref: 'refs/heads/main',
      event_name: 'push',
    },
    neighbour: { sub: 'repo:octo-org/other-repo:ref:refs/heads/main', repository: 'octo-org/other-repo' },
    discovery: 'https://token.actions.githubusercontent.com',
    jwks: 'https://token.actions.githubusercontent.com/.well-known/jwks',
  },
  gitlab: {
    header: rs256,
    claims: {
      iss: 'https://gitlab.com',
      aud: 'oss-vend',
      sub: 'project_path:group/project:ref_type:branch:ref:main',
      namespace_id: '72',
      namespace_path: 'group',
      project_id: '20',
      project_path: 'group/project',
      ref: 'main',
      ref_protected: 'true',
    },
    neighbour: { sub: 'project_path:group/other:ref_type:branch:ref:main', project_path: 'group/other' },
    discovery: 'https://gitlab.com',
    jwks: 'https://gitlab.com/oauth/discovery/keys',
  },
  wechat: {
    header: { alg: 'HS256' },
    claims: { iss: 'https://login.example.com', aud: 'oss-vend', sub: 'oGZUI0egBJY1zhBYw2KhdUfwVJJE' },
    neighbour: { sub: 'oGZUI0egBJY1zhBYw2KhdUfwVJJ_' },
  },
  'home-grown-tokens': {
    header: { alg: 'HS256' },
    claims: { userId: 4711, nick: 'alice' },
    neighbour: { userId: 471 },
  },
  'ad-fs': {
    header: { ...rs256, x5t: 'key-1' },
    claims: {
      iss: 'http://adfs.example.com/adfs/services/trust',
      aud: 'https://api.example.com',
      sub: "o'brien@x.ie",
      groups: ['Uploaders', 'Domain Users'],
      appid: UUID,
      ver: '1.0',
    },
    neighbour: { sub: 'CORP\\jane' },
    jwks: 'https://adfs.example.com/adfs/discovery/keys',
  },
}

/** A token that is none: what providers give for themselves alone. */
export const opaque = () => `ya29.${randomBytes(24).toString('base64url')}`
