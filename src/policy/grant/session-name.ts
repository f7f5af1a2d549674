import { createHash } from 'node:crypto'

/**
 * The name under which JD Cloud's operation audit shows a session: `<template>@<subject>`, or `<template>@<issuer>.<subject>`
 * where several issuers are configured. A subject that does not fit the grammar is replaced by `=` and a hash of issuer
 * and subject.
 *
 * Two callers never share a name. A template has no `@` and an issuer no `.`, so the parts cannot run together, and the
 * readable form never starts with `=`, so nobody can choose a subject that reads like another caller's hash.
 */
export function sessionName(
  template: string,
  caller: Readonly<{ issuer: string; subject: string }>,
  severalIssuers: boolean,
): string {
  const readable = severalIssuers ? `${caller.issuer}.${caller.subject}` : caller.subject
  const name = `${template}@${readable}`
  // The grammar is not documented: these are the characters that every known one has.
  if (!readable.startsWith('=') && /^[A-Za-z0-9_=,.@-]{2,64}$/u.test(name)) return name
  const hash = createHash('sha256')
    .update(JSON.stringify([caller.issuer, caller.subject]))
    .digest('base64url')
  return `${template}@=${hash.slice(0, 27)}`
}
