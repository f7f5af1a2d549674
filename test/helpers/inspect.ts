import { z } from 'zod'
import { type InspectOptions, inspectCommand } from '../../src/cli/inspect-command.ts'
import type { Environment } from '../../src/config/environment.ts'
import { capturedIo } from './captured-io.ts'

const checkSchema = z.looseObject({
  name: z.string(),
  passed: z.boolean().optional(),
  why: z.string().optional(),
  reason: z.string().optional(),
  settings: z.array(z.string()).optional(),
})

const reportSchema = z.looseObject({
  verdict: z.string(),
  reason: z.string().optional(),
  checks: z.array(checkSchema),
  notes: z.array(z.string()),
  issuer: z.looseObject({ name: z.string(), matched: z.boolean() }).optional(),
  caller: z.looseObject({ issuer: z.string(), subject: z.string() }).optional(),
  templates: z.looseObject({ answers: z.array(z.looseObject({ name: z.string(), allowed: z.boolean() })) }).optional(),
})

/** Runs `token inspect` with this on standard input. Key servers may be on this machine. */
export async function inspect(input: string, env: Environment, options: InspectOptions = {}) {
  const { io, printed } = capturedIo(env, input)
  const exitCode = await inspectCommand(io, options, { sandbox: true })
  return { exitCode, ...printed }
}

/** The same with `--json`, parsed. */
export async function inspectReport(input: string, env: Environment, options: InspectOptions = {}) {
  const { exitCode, out, err } = await inspect(input, env, { ...options, json: true })
  return { exitCode, err, out, report: reportSchema.parse(JSON.parse(out)) }
}
