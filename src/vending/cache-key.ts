import { hash } from 'node:crypto'
import type { Grant } from '../policy/grant.ts'

/**
 * The name of a grant's sessions in the caches: SHA-256 over the scope and every part of the grant, base64url. `scope`
 * is what decides beside the grant what a session opens (STS and role), for replicas of different settings that share a
 * Redis.
 *
 * JSON keeps the parts from running together, and writes different texts for different values. Whoever adds a part to
 * `Grant` is stopped by the compiler until it is here too: two grants under one key would hand one caller's session to
 * another.
 */
export function cacheKey(scope: string, grant: Grant): string {
  const { template, roleSessionName, policy, durationSeconds, actions, resources, prefixes }: EveryPart = grant
  const text = JSON.stringify([scope, template, roleSessionName, policy, durationSeconds, actions, resources, prefixes])
  return hash('sha256', text, 'base64url')
}

type Part = 'template' | 'roleSessionName' | 'policy' | 'durationSeconds' | 'actions' | 'resources' | 'prefixes'
type EveryPart = Exclude<keyof Grant, Part> extends never ? Grant : never
