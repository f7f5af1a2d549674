import { hash } from 'node:crypto'
import type { Grant } from '../policy/grant/grant.ts'

/**
 * The name of a grant's sessions in the caches: SHA-256 over the scope and every part of the grant, base64url. `scope`
 * is what decides beside the grant what a session opens (STS and role of its target), for replicas of different settings
 * that share a Redis.
 *
 * Each text comes after its length and each list after its number, so that parts cannot run together. Anyone who adds a part
 * to `Grant` is stopped by the compiler until it is here too: two grants under one key would hand one caller's session to
 * another.
 */
export function cacheKey(scope: string, grant: Grant): string {
  const { template, target, roleSessionName, policy, durationSeconds, actions, resources, prefixes }: EveryPart = grant
  const names = text(scope) + text(target) + text(template) + text(roleSessionName)
  const whole = names + text(policy) + text(`${durationSeconds}`) + list(actions) + list(resources) + list(prefixes)
  // Halves of surrogate pairs would all become the same bytes. Quoted, they stay apart, and apart from what has none.
  return hash('sha256', whole.isWellFormed() ? whole : JSON.stringify(whole), 'base64url')
}

const text = (part: string) => `${part.length}:${part}`

function list(parts: readonly string[]): string {
  let joined = `${parts.length};`
  for (const part of parts) joined += text(part)
  return joined
}

type Part =
  | 'template'
  | 'target'
  | 'roleSessionName'
  | 'policy'
  | 'durationSeconds'
  | 'actions'
  | 'resources'
  | 'prefixes'
type EveryPart = Exclude<keyof Grant, Part> extends never ? Grant : never
