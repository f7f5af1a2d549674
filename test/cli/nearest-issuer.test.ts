import t from 'tap'
import { nearestIssuer } from '../../src/cli/token/nearest-issuer.ts'
import type { IssuerValue } from '../../src/identity/issuer.ts'

const issuer = (name: string, values: readonly IssuerValue[] | 'none') => ({
  keys: [],
  issuer: {
    name,
    issuer: values,
    audience: ['x'],
    audienceClaim: ['aud'],
    subject: { path: ['sub'], type: 'text' as const },
    clockToleranceSeconds: 5,
    keys: [],
  },
})
const ISSUERS = [
  issuer('auth0', [{ iss: 'https://team.auth0.com/' }]),
  issuer('keycloak', [{ iss: 'https://login.example.com/realms/app' }]),
  issuer('google', [{ iss: 'https://accounts.google.com' }]),
  issuer('azure', [{ iss: 'https://sts.windows.net/1111/', tenant: '1111' }]),
  issuer('home', 'none'),
]

t.test('finds the issuer that was meant, and names the difference', async (t) => {
  const rows: [iss: unknown, want?: string, difference?: RegExp][] = [
    ['https://team.auth0.com', 'auth0', /the setting has a slash at its end/u],
    ['https://accounts.google.com/', 'google', /the token has a slash at its end/u],
    ['http://accounts.google.com', 'google', /the token has http, the setting has https/u],
    ['accounts.google.com', 'google', /has https:\/\/ and the other has none/u],
    ['https://accounts.google.com ', 'google', /white space/u],
    ['https://login.example.com/realms/App', 'keycloak', /capitals/u],
    ['https://sts.windows.net/2222/', 'azure', /tenant that is not in the list/u],
    ['https://login.example.com/realms/app/extra', 'keycloak', /goes on after the end/u],
    ['https://login.example.com/realms/apq', 'keycloak', /1 edit apart/u],
    ['https://login.example.com/realms/something-else', 'keycloak', /host is the same/u],
    ['https://sts.windows.net/a/b/', 'azure', /host is the same/u],
    ['https://unrelated.test'],
    ['https://'],
    ['x'.repeat(10_000)],
    [''],
    [7],
    [undefined],
  ]
  for (const [iss, want, difference] of rows) {
    const near = nearestIssuer(iss, ISSUERS)
    t.equal(near?.trusted.issuer.name, want, String(iss).slice(0, 60))
    if (difference) t.match(near?.difference, difference)
  }
})
