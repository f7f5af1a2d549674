import { writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { serveDemo } from '../demo/serve.ts'
import { mintToken } from '../issuer.ts'
import { startLocal } from '../local.ts'
import { exportLines } from './exports.ts'

/** `npm run dev`: keeps the service and the sandbox running. tsx restarts both when a file changes. */
function port(name: string, fallback: number): number {
  const value = Number(process.env[name] || fallback)
  if (Number.isInteger(value) && value >= 0 && value <= 65_535) return value
  process.stderr.write(`${name} must be a port from 0 to 65535\n`)
  process.exit(78)
}

const local = await startLocal({
  port: port('PORT', 3000),
  httpsPort: port('HTTPS_PORT', 3443),
  stsPort: port('SANDBOX_STS_PORT', 4501),
  stsHttpsPort: port('SANDBOX_STS_HTTPS_PORT', 4511),
  ossPort: port('SANDBOX_OSS_PORT', 4502),
  ossHttpsPort: port('SANDBOX_OSS_HTTPS_PORT', 4512),
  env: { POLICIES_DIR: process.env.POLICIES_DIR, LOG_LEVEL: process.env.LOG_LEVEL },
  extend: serveDemo,
}).catch((error: NodeJS.ErrnoException & { port?: number }) => {
  const why =
    error.code === 'EADDRINUSE'
      ? `Port ${error.port} is taken: set PORT, HTTPS_PORT, SANDBOX_STS_PORT, SANDBOX_STS_HTTPS_PORT, SANDBOX_OSS_PORT or SANDBOX_OSS_HTTPS_PORT to another one.`
      : error.message
  process.stderr.write(`${why}\n`)
  process.exit(1)
})

const token = await mintToken({ sub: 'alice', claims: { scope: 'oss.upload oss.files oss.download' } })
// The directory is this user's alone, and goes when the sandbox stops.
const tokenFile = join(dirname(local.sandbox.caFile), 'token')
await writeFile(tokenFile, token, { mode: 0o600, flag: 'wx' })
process.stdout.write(`
  Demo             ${local.url}/demo
  API page         ${local.url}/docs
  For browsers     ${local.url}, whose answers name OSS (sandbox) at ${local.sandbox.oss.url}
  For SDKs         ${local.httpsUrl}, whose answers name OSS (sandbox) at ${local.sandbox.oss.httpsUrl}
  STS (sandbox)    ${local.sandbox.sts.url} and ${local.sandbox.sts.httpsUrl}
  CA to trust      ${local.sandbox.caFile}

  A token for alice, valid for one hour (for others: npm run --silent token -- --sub bob --claim scope=oss.upload):
  ${token}

  Try it:
  curl -sS ${local.url}/v1/credentials -H 'content-type: application/json' -d '{"policy":"user-upload"}' -H 'authorization: Bearer ${token}'

  Run an example: paste these lines into a second terminal, then, for instance, npx tsx examples/node/upload.ts
  A restart, also one after a change of a file, makes a new CA, a new token and an empty bucket: paste them again.

${exportLines({
  url: local.url,
  httpsUrl: local.httpsUrl,
  ossUrl: local.sandbox.oss.httpsUrl,
  region: local.sandbox.world.region,
  caFile: local.sandbox.caFile,
  tokenFile,
})}

`)

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void local.close().then(() => process.exit(0)))
}
