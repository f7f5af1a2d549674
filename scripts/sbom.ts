import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { z } from 'zod'
import { shippedPackages } from './supply-chain/packages.ts'
import { shippedSbom } from './supply-chain/sbom.ts'

// `npm run --silent sbom`: prints a bill of materials of the shipped packages, in CycloneDX.
const { name } = z.object({ name: z.string() }).parse(JSON.parse(readFileSync('package.json', 'utf8')))
const options = ['--sbom-format=cyclonedx', '--sbom-type=application']
const output = execFileSync('npm', ['sbom', ...options], { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
process.stdout.write(shippedSbom(output, shippedPackages('.'), name))
